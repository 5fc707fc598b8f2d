/**
 * Requests that mean harm, made from the OpenAPI document: a route and a request that fits it, and then one to three
 * things wrong with it. Request `n` of a seed is always the same one.
 */
import { gzipSync } from 'node:zlib';
import { createRandom, type Random } from '../random.ts';
import type { Operation } from '../e2e/contract.ts';
import type { RawRequest } from './raw.ts';
import { sampleOf } from './schema.ts';

/** A request on its way to the wire. */
export interface Draft {
  method: string;
  /** parts of the path, encoded */
  path: string;
  /** name and value, encoded */
  query: [string, string][];
  headers: [string, string | Buffer][];
  body: Buffer;
  version: string;
  /** adds Content-Length; off where the length is what is wrong */
  announced: boolean;
}

export interface HostileRequest {
  operation: Operation;
  /** what is wrong with it, in words */
  wrong: string[];
  raw: RawRequest;
  /** whether the answer must be one of the operation's: neither path nor method were touched */
  answersOperation: boolean;
}

type Wrong = readonly [what: string, change: (draft: Draft, random: Random, context: Context) => void];

export interface Context {
  operations: readonly Operation[];
  params: (path: string) => Record<string, string>;
  key: string;
  host: string;
  picture: Buffer;
}

const oddTexts = [
  '',
  ' ',
  '\0',
  'a\0b',
  '..',
  '../../../etc/passwd',
  '..\\..\\windows',
  '%00',
  '%2e%2e%2f',
  '%c0%af',
  '😀',
  '👩‍👩‍👧‍👦',
  '\u202egnp.exe',
  'ＤＩＧＩＴＳ',
  'Ä\u0308',
  '\ufffe',
  '\ud800',
  "' OR 1=1 --",
  '"; DROP c; --',
  '{"$ne":null}',
  '${7*7}',
  '<script>alert(1)</script>',
  '__proto__',
  'constructor',
  'toString',
  'NaN',
  '-1',
  '1e999',
  '0x10',
  '9007199254740993',
  'null',
  'undefined',
  'true',
  '\r\nx: y',
  'head',
  'x'.repeat(101),
  'x'.repeat(1024),
  '猫'.repeat(400),
] as const;

const oddText = (random: Random): string => random.pick(oddTexts);

/** Percent-encodes what it can; lone surrogates become the bytes that nobody may send. */
function encoded(text: string): string {
  return text.isWellFormed() ? encodeURIComponent(text) : '%ed%a0%80';
}

const oddValues = (random: Random): unknown =>
  random.pick<unknown>([
    null,
    true,
    0,
    -1,
    1.5,
    1e308,
    Number.MAX_SAFE_INTEGER + 2,
    [],
    {},
    [[[]]],
    { a: 1 },
    oddText(random),
    Array.from({ length: 2000 }, () => 'x'),
    'y'.repeat(20_000),
  ]);

/** Every place in a value where another one can stand. */
function placesIn(value: unknown, places: { holder: object; key: string }[] = []): { holder: object; key: string }[] {
  if (typeof value !== 'object' || value === null) return places;
  for (const key of Object.keys(value)) {
    places.push({ holder: value, key });
    placesIn((value as Record<string, unknown>)[key], places);
  }
  return places;
}

function editJson(draft: Draft, edit: (root: { value: unknown }) => void): void {
  let value: unknown;
  try {
    value = JSON.parse(draft.body.toString('utf8'));
  } catch {
    value = {};
  }
  const root = { value };
  edit(root);
  draft.body = Buffer.from(JSON.stringify(root.value) ?? '');
}

const deep = (levels: number): string => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
const swapped = (text: string): Buffer => Buffer.from(text, 'utf16le').swap16();

const inBody: Wrong[] = [
  [
    'a value of another type',
    (d, random) =>
      editJson(d, (root) => {
        const places = [{ holder: root, key: 'value' }, ...placesIn(root.value)];
        const { holder, key } = random.pick(places);
        (holder as Record<string, unknown>)[key] = oddValues(random);
      }),
  ],
  [
    'an unknown field',
    (d, random) =>
      editJson(d, (root) => {
        const holders = [root.value, ...placesIn(root.value).map(({ holder, key }) => Reflect.get(holder, key))];
        const objects = holders.filter((h) => typeof h === 'object' && h !== null);
        if (objects.length > 0) Reflect.set(random.pick(objects) as object, oddText(random), oddValues(random));
      }),
  ],
  [
    'a missing field',
    (d, random) =>
      editJson(d, (root) => {
        const places = placesIn(root.value);
        if (places.length === 0) return;
        const { holder, key } = random.pick(places);
        Reflect.deleteProperty(holder, key);
      }),
  ],
  ['a field name of 50,000 characters', (d) => editJson(d, (r) => Reflect.set(Object(r.value), 'n'.repeat(50_000), 1))],
  ['a body beyond the limit', (d) => void (d.body = Buffer.alloc(600 * 1024, 0x20))],
  ['deep JSON', (d, random) => void (d.body = Buffer.from(deep(random.pick([100, 5000, 80_000]))))],
  ['deep arrays', (d) => void (d.body = Buffer.from('['.repeat(100_000)))],
  ['half a body', (d) => void (d.body = d.body.subarray(0, d.body.length >> 1))],
  [
    'a flipped bit',
    (d, random) => {
      d.body = Buffer.from(d.body);
      if (d.body.length > 0) {
        const at = random.between(0, d.body.length - 1);
        d.body[at] = (d.body[at] ?? 0) ^ (1 << random.between(0, 7));
      }
    },
  ],
  [
    'random bytes',
    (d, random) => void (d.body = Buffer.from(Array.from({ length: 300 }, () => random.between(0, 255)))),
  ],
  [
    'invalid UTF-8',
    (d) => void (d.body = Buffer.concat([Buffer.from('{"reason":"'), Buffer.of(0xff, 0xc0), Buffer.from('"}')])),
  ],
  ['a lone surrogate', (d) => void (d.body = Buffer.from('{"reason":"\\ud800","label":"\\udfff"}'))],
  ['a byte order mark', (d) => void (d.body = Buffer.concat([Buffer.of(0xef, 0xbb, 0xbf), d.body]))],
  ['UTF-16', (d) => void (d.body = Buffer.from(d.body.toString('utf8'), 'utf16le'))],
  ['UTF-16 the other way round', (d) => void (d.body = swapped(d.body.toString('utf8')))],
  [
    'gzip',
    (d) => {
      d.body = gzipSync(d.body);
      d.headers.push(['content-encoding', 'gzip']);
    },
  ],
  [
    'a bomb of gzip',
    (d) => {
      d.body = gzipSync(Buffer.alloc(20_000_000));
      d.headers.push(['content-encoding', 'gzip']);
    },
  ],
  ['a field twice', (d) => void (d.body = Buffer.from('{"seed":1,"seed":"x","seed":2}'))],
  [
    'a prototype',
    (d) => void (d.body = Buffer.from('{"__proto__":{"role":"operator"},"constructor":{"prototype":{}}}')),
  ],
  [
    'numbers beyond numbers',
    (d) => void (d.body = Buffer.from('{"seed":1e999,"model":-0,"version":1e-400,"limit":1E+2}')),
  ],
  ['something behind the JSON', (d) => void (d.body = Buffer.concat([d.body, Buffer.from('\n{}')]))],
  ['comments', (d) => void (d.body = Buffer.from('/* a */ {"seed": 1, // b\n}'))],
  ['nothing', (d) => void (d.body = Buffer.alloc(0))],
  ['white space', (d) => void (d.body = Buffer.from(' \n\t'))],
];

const inQuery: Wrong[] = [
  ['an unknown query value', (d, random) => void d.query.push([encoded(oddText(random)), encoded(oddText(random))])],
  [
    'an odd query value',
    (d, random) => {
      const name = random.pick([
        'limit',
        'continuation',
        'after',
        'blob',
        'outcome',
        'label',
        'split',
        'model',
        'queue',
      ]);
      d.query = [...d.query.filter(([n]) => n !== name), [name, encoded(oddText(random))]];
    },
  ],
  [
    'a query value twice',
    (d) => void d.query.push(...(d.query.length > 0 ? d.query : [['limit', '1'] as [string, string]]), ['limit', '2']),
  ],
  ['a query of 12,000 characters', (d) => void d.query.push(['blob', 'q'.repeat(12_000)])],
  ['a broken percent sign in the query', (d) => void d.query.push(['blob', '%zz%'])],
  ['query values of another language', (d) => void d.query.push(['limit[]', '1'], ['limit[$gt]', '0'], ['', ''])],
  [
    'a continuation that no listing gave',
    (d, random) => {
      const made = random.pick([
        '[]',
        '[1]',
        '["a","b"]',
        '[1,"b"]',
        '[null,1]',
        '{"token":"x"}',
        '"x"',
        'null',
        '1',
        '{',
        '-',
        '[{},"a"]',
      ]);
      d.query = [['continuation', Buffer.from(made).toString('base64url')]];
    },
  ],
];

const inPath: Wrong[] = [
  [
    'an odd name in the path',
    (d, random) => {
      const parts = d.path.split('/');
      const at = random.between(4, Math.max(4, parts.length - 1));
      parts[Math.min(at, parts.length - 1)] = encoded(oddText(random));
      d.path = parts.join('/');
    },
  ],
  [
    'a way up in the path',
    (d, random) =>
      void (d.path = d.path.replace(
        /\/[^/]+$/,
        random.pick(['/../..', '/%2e%2e/x', '/..%2f..', '/%2e%2e%5c', '/.', '/..;/x']),
      )),
  ],
  [
    'bytes of no encoding in the path',
    (d, random) => void (d.path += random.pick(['%ff', '%c0%af', '%ed%a0%80', '%', '%zz', '%00'])),
  ],
  ['raw UTF-8 in the path', (d) => void (d.path = d.path.replace(/[^/]+$/, 'Käfer😀'))],
  ['double slashes', (d) => void (d.path = d.path.replaceAll('/', '//'))],
  ['a slash behind', (d) => void (d.path += '/')],
  ['other letter case', (d) => void (d.path = d.path.toUpperCase())],
  ['a path of 20,000 characters', (d) => void (d.path += '/x'.repeat(10_000))],
  ['an absolute address', (d) => void (d.path = `http://elsewhere.invalid${d.path}`)],
  ['a fragment', (d) => void (d.path += '#x')],
  ['a space in the path', (d) => void (d.path += ' x')],
];

const inMethod: Wrong[] = [
  [
    'another method',
    (d, random) =>
      void (d.method = random.pick([
        'GET',
        'PUT',
        'POST',
        'DELETE',
        'PATCH',
        'HEAD',
        'OPTIONS',
        'TRACE',
        'PROPFIND',
        'BREW',
        'get',
        '',
      ])),
  ],
];

const inHeaders: Wrong[] = [
  [
    'a condition that is none',
    (d, random) =>
      void d.headers.push([
        'if-match',
        random.pick(['***', 'W/"1"', '""', '"\x07"', '*,*', '"'.repeat(150), 'x'.repeat(300)]),
      ]),
  ],
  ['a condition that always holds', (d) => void d.headers.push(['if-match', '*'])],
  [
    'an odd Idempotency-Key',
    (d, random) =>
      void d.headers.push([
        'idempotency-key',
        random.pick([
          Buffer.from(''),
          Buffer.of(0xff, 0xfe),
          Buffer.from('ü'.repeat(90)),
          Buffer.from('x'.repeat(900)),
          Buffer.from('a,b'),
          Buffer.from('../x'),
          Buffer.from('__proto__'),
        ]),
      ]),
  ],
  ['an Idempotency-Key twice', (d) => void d.headers.push(['idempotency-key', 'a'], ['idempotency-key', 'b'])],
  ['the key twice', (d) => void d.headers.push(['x-api-key', 'dk_other'])],
  [
    'another content type',
    (d, random) => {
      d.headers = d.headers.filter(([name]) => name !== 'content-type');
      const type = random.pick([
        '',
        'text/plain',
        'application/json; charset=utf-16',
        'multipart/form-data; boundary=x',
        'image/svg+xml',
        'application/x-www-form-urlencoded',
        'x'.repeat(500),
        ';;;',
        'image/png, image/jpeg',
      ]);
      if (type !== '') d.headers.push(['content-type', type]);
    },
  ],
  [
    'a trace that is none',
    (d, random) =>
      void d.headers.push(
        [
          'traceparent',
          random.pick([
            '00-0-0-0',
            'x'.repeat(5000),
            '00-' + '0'.repeat(32) + '-' + '0'.repeat(16) + '-00',
            'ff-' + 'f'.repeat(32),
          ]),
        ],
        ['tracestate', '='.repeat(600)],
      ),
  ],
  [
    'headers of proxies and hosts',
    (d) =>
      void d.headers.push(
        ['x-forwarded-host', 'evil.invalid'],
        ['x-forwarded-proto', 'javascript'],
        ['x-ms-invocation-id', 'abc'],
        ['x-original-url', '/api/v1/health/live'],
        ['x-http-method-override', 'DELETE'],
        ['x-ms-client-principal', Buffer.from('{"userRoles":["operator"]}').toString('base64')],
      ),
  ],
  [
    'two hundred headers',
    (d) => void d.headers.push(...Array.from({ length: 200 }, (_, i): [string, string] => [`x-h-${i}`, 'v'])),
  ],
  ['a header of 20,000 characters', (d) => void d.headers.push(['x-long', 'v'.repeat(20_000)])],
  ['a range', (d) => void d.headers.push(['range', 'bytes=5-1,-3,0-99999999999'], ['if-none-match', '*'])],
  [
    'another host',
    (d, random) => {
      d.headers = d.headers.filter(([name]) => name !== 'host');
      const host = random.pick(['', 'evil.invalid', 'a b', '[::1', 'x:99999999', '"><script>', '😀']);
      d.headers.push(['host', Buffer.from(host)]);
    },
  ],
  ['no host', (d) => void (d.headers = d.headers.filter(([name]) => name !== 'host'))],
];

const inTransport: Wrong[] = [
  [
    'a length too small',
    (d) => {
      d.announced = false;
      d.headers.push(['content-length', String(Math.max(0, d.body.length - 3))]);
    },
  ],
  [
    'a length that is none',
    (d, random) => {
      d.announced = false;
      d.headers.push(['content-length', random.pick(['-1', 'x', '1e3', '+5', '99999999999999999999', '1, 2', ''])]);
    },
  ],
  [
    'a length beyond every limit',
    (d) => {
      d.announced = false;
      d.headers.push(['content-length', String(2 ** 31)]);
    },
  ],
  ['no length', (d) => void (d.announced = false)],
  [
    'chunks',
    (d) => {
      d.announced = false;
      d.headers.push(['transfer-encoding', 'chunked']);
      d.body = Buffer.concat([Buffer.from(`${d.body.length.toString(16)}\r\n`), d.body, Buffer.from('\r\n0\r\n\r\n')]);
      if (d.body.toString('latin1').startsWith('0\r\n')) d.body = Buffer.from('0\r\n\r\n');
    },
  ],
  [
    'broken chunks',
    (d, random) => {
      d.announced = false;
      d.headers.push(['transfer-encoding', 'chunked']);
      d.body = Buffer.from(
        random.pick([
          'zz\r\n',
          '-1\r\n\r\n',
          '5\r\nab\r\n0\r\n\r\n',
          'ffffffffffffffff\r\n',
          '0;' + 'e'.repeat(20_000),
        ]),
      );
    },
  ],
  [
    'chunks and a length',
    (d) => {
      d.headers.push(['transfer-encoding', 'chunked']);
      d.body = Buffer.from('0\r\n\r\nGET /api/v1/health/live HTTP/1.1\r\nhost: x\r\n\r\n');
    },
  ],
  ['an unknown transfer coding', (d) => void d.headers.push(['transfer-encoding', 'gzip, identity'])],
  ['an expectation', (d, random) => void d.headers.push(['expect', random.pick(['100-continue', '200-maybe'])])],
  ['HTTP/1.0', (d) => void (d.version = 'HTTP/1.0')],
  ['HTTP of no version', (d, random) => void (d.version = random.pick(['HTTP/3.0', 'HTTP/1.2', 'http', '']))],
  [
    'an upgrade',
    (d) => void d.headers.push(['connection', 'upgrade'], ['upgrade', 'websocket'], ['sec-websocket-key', 'x']),
  ],
];

/** Chooses what is wrong; bodies most often, since most code reads those. */
function chooseWrong(random: Random, operation: Operation): { kind: Wrong[]; wrong: Wrong } {
  const weighted: [Wrong[], number][] = [
    [inBody, operation.method === 'GET' ? 1 : 8],
    [inQuery, operation.method === 'GET' ? 6 : 1],
    [inPath, 3],
    [inHeaders, 3],
    [inTransport, 2],
    [inMethod, 1],
  ];
  let at = random.next() * weighted.reduce((sum, [, weight]) => sum + weight, 0);
  const [kind] = weighted.find(([, weight]) => (at -= weight) < 0) ?? [inBody];
  return { kind, wrong: random.pick(kind) };
}

function draftOf(operation: Operation, random: Random, context: Context): Draft {
  const params = context.params(operation.path);
  const [bodyType, content] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
  const body =
    content === undefined
      ? Buffer.alloc(0)
      : bodyType === 'application/json'
        ? Buffer.from(JSON.stringify(sampleOf(content.schema, random)) ?? '')
        : context.picture;
  const query = operation.parameters
    .filter(({ in: where }) => where === 'query' && random.next() < 0.4)
    .map(({ name, schema }): [string, string] => [name, encoded(String(sampleOf(schema, random)))]);
  return {
    method: operation.method,
    path: operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? '')),
    query,
    headers: [
      ['host', context.host],
      ['x-api-key', context.key],
      ...(bodyType === undefined ? [] : [['content-type', bodyType] as [string, string]]),
    ],
    body,
    version: 'HTTP/1.1',
    announced: true,
  };
}

/** A scrub reads the whole store: one in ten of them is enough. */
function pickOperation(random: Random, operations: readonly Operation[]): Operation {
  const one = random.pick(operations);
  return one.operationId === 'scrub-post' && random.next() < 0.9 ? pickOperation(random, operations) : one;
}

/** Request `n` of a seed. */
export function hostileRequest(seed: number, n: number, context: Context): HostileRequest {
  const random = createRandom(Math.imul(seed, 0x9e3779b1) ^ (n + 1));
  random.next();
  const operation = pickOperation(random, context.operations);
  const draft = draftOf(operation, random, context);
  const wrong: string[] = [];
  let answersOperation = true;
  for (let more = true, count = 0; more && count < 3; more = random.next() < 0.35, count++) {
    const chosen = chooseWrong(random, operation);
    chosen.wrong[1](draft, random, context);
    wrong.push(chosen.wrong[0]);
    if (chosen.kind === inPath || chosen.kind === inMethod || chosen.kind === inTransport) answersOperation = false;
  }
  const search = draft.query.map(([name, value]) => `${name}=${value}`).join('&');
  const headers: RawRequest['headers'] = [...draft.headers, ['connection', 'close']];
  if (draft.announced) headers.push(['content-length', String(draft.body.length)]);
  const target = draft.path + (search === '' ? '' : `?${search}`);
  const { method, body, version } = draft;
  return { operation, wrong, answersOperation, raw: { method, target, headers, body, version } };
}
