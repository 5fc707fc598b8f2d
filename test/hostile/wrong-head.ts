/** What may be wrong with the path, query, method and headers of a request. */
import { encoded, oddText, type Wrong } from './draft.ts';

export const inQuery: Wrong[] = [
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

export const inPath: Wrong[] = [
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

export const inMethod: Wrong[] = [
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

export const inHeaders: Wrong[] = [
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
