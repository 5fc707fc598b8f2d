/** Who may call what: every operation of the OpenAPI document with every kind of key, and what each must be answered. */
import { createHash, randomBytes } from 'node:crypto';
import { roles } from '../../shared/api/keys.ts';
import { newKey } from '../../shared/key/secret.ts';
import { differences, type Operation } from '../e2e/contract.ts';
import { elsewhere, project, type Target } from './platform.ts';
import { encode, exchange } from './raw.ts';

const limitMs = 60_000;

export interface Caller {
  name: string;
  headers: [string, string | Buffer][];
  /** of a valid key */
  grant?: { role: (typeof roles)[number]; project: string };
}

const apiKey = (value: string | Buffer): Caller['headers'] => [['x-api-key', value]];

/** Callers of every kind: valid keys of each role and scope, and what is no valid key. */
export function callersOf({ keyOf }: Target, revoked: string): Caller[] {
  const good = keyOf('operator');
  const valid = roles.flatMap((role) =>
    ['*', project, elsewhere].map((scope): Caller => {
      const name = scope === '*' ? role : `${role} of ${scope}`;
      return { name, headers: apiKey(keyOf(name)), grant: { role, project: scope } };
    }),
  );
  const bad: [string, Caller['headers']][] = [
    ['nobody', []],
    ['an empty key', apiKey('')],
    ['a key cut short', apiKey(good.slice(0, -1))],
    ['a key with something behind', apiKey(`${good}x`)],
    ['a key in other letter case', apiKey(good.toUpperCase())],
    ['the digest of a key', apiKey(createHash('sha256').update(good).digest('hex'))],
    ['a key of bytes that are no text', apiKey(Buffer.concat([Buffer.from('dk_'), randomBytes(43)].map(printable)))],
    ['a key with NUL in percent signs', apiKey(`${good}%00`)],
    ['two keys in one header', apiKey(`${good}, ${good}`)],
    ['the key twice', [...apiKey(good), ...apiKey(good)]],
    ['a bad key before a good token', [...apiKey('dk_bad'), ['authorization', `Bearer ${good}`]]],
    ['basic authentication', [['authorization', `Basic ${Buffer.from(`operator:${good}`).toString('base64')}`]]],
    ['a token that is no key', [['authorization', 'Bearer eyJhbGciOiJub25lIn0.eyJyb2xlIjoib3BlcmF0b3IifQ.']]],
    ['the key as a cookie', [['cookie', `x-api-key=${good}`]]],
    ["Easy Auth's header", [['x-ms-client-principal', Buffer.from('{"userRoles":["operator"]}').toString('base64')]]],
    ['a key that never was', apiKey(newKey(randomBytes(32)))],
    ['a revoked key', apiKey(revoked)],
  ];
  return [...valid, ...bad.map(([name, headers]) => ({ name, headers }))];
}

/** Bytes that end no header. */
const printable = (bytes: Buffer): Buffer => Buffer.from(bytes.map((byte) => (byte < 32 || byte === 127 ? 255 : byte)));

/** What the document says of a caller: the status of the refusal, or `allowed`. */
export function expectedFor({ grant }: Caller, one: Operation): 401 | 403 | 'allowed' {
  const role = one['x-role'];
  if (role === 'open') return 'allowed';
  if (grant === undefined) return 401;
  if (roles.indexOf(grant.role) < roles.indexOf(role)) return 403;
  const scope = one['x-scope'];
  if (scope === 'any-key' || grant.project === '*') return 'allowed';
  return scope === 'project' && grant.project === project ? 'allowed' : 403;
}

/** Calls an operation with a body that fits, or nearly; returns what is not as it must be. */
export async function callAs(
  target: Target,
  operations: readonly Operation[],
  caller: Caller,
  one: Operation,
): Promise<string[]> {
  if (!operations.includes(one)) throw new Error(`${one.operationId} is no operation of the document`);
  const { params } = target;
  const image = one.requestBody?.content['image/png'] !== undefined;
  const body = one.method === 'GET' ? Buffer.alloc(0) : image ? target.picture : bodyFor(one);
  const answer = await exchange(
    target.origin,
    encode({
      method: one.method,
      target: one.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => params[name] ?? ''),
      headers: [
        ['host', new URL(target.origin).host],
        ...caller.headers,
        ['content-type', image ? 'image/png' : 'application/json'],
        ['content-length', String(body.length)],
      ],
      body,
    }),
    limitMs,
  );
  const expected = expectedFor(caller, one);
  const where = `${one.operationId} called by ${caller.name}`;
  if (answer === 'closed') return [`${where}: no answer`];
  const right =
    expected === 'allowed'
      ? ![401, 403].includes(answer.status) && (answer.status < 500 || String(answer.status) in one.responses)
      : answer.status === expected;
  const broken = differences(one, answer).map((what) => `${where}: ${what}`);
  return right ? broken : [`${where}: ${answer.status} instead of ${expected}`, ...broken];
}

const bodyFor = ({ operationId }: Operation): Buffer =>
  Buffer.from(operationId === 'scrub-post' ? '{"from":"ff","limit":1}' : '{}');
