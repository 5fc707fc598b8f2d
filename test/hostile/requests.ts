/**
 * Requests that mean harm, made from the OpenAPI document: a route and a request that fits it, and then one to three
 * things wrong with it. Request `n` of a seed is always the same one.
 */
import type { Operation } from '../e2e/contract.ts';
import { createRandom, type Random } from '../random.ts';
import { type Draft, encoded, type Wrong } from './draft.ts';
import type { RawRequest } from './raw.ts';
import { sampleOf } from './schema.ts';
import { inBody } from './wrong-body.ts';
import { inHeaders, inMethod, inPath, inQuery } from './wrong-head.ts';
import { inTransport } from './wrong-transport.ts';

export interface HostileRequest {
  operation: Operation;
  /** what is wrong with it, in words */
  wrong: string[];
  raw: RawRequest;
  /** whether the answer must be one of the operation's: neither path nor method were touched */
  answersOperation: boolean;
  /** the client goes away before it has sent what it said */
  leaves: boolean;
}

export interface Context {
  operations: readonly Operation[];
  params: Record<string, string>;
  key: string;
  host: string;
  picture: Buffer;
}

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
  const { params } = context;
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
    leaves: false,
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
  const chosen = [chooseWrong(random, operation)];
  while (chosen.length < 3 && random.next() < 0.35) chosen.push(chooseWrong(random, operation));
  // how it is sent comes last: a body that is changed behind its length only waits for the rest
  chosen.sort((a, b) => Number(a.kind === inTransport) - Number(b.kind === inTransport));
  for (const { wrong } of chosen) wrong[1](draft, random);
  const answersOperation = !chosen.some(({ kind }) => kind === inPath || kind === inMethod || kind === inTransport);
  const search = draft.query.map(([name, value]) => `${name}=${value}`).join('&');
  const headers: RawRequest['headers'] = [...draft.headers, ['connection', 'close']];
  if (draft.announced) headers.push(['content-length', String(draft.body.length)]);
  const target = draft.path + (search === '' ? '' : `?${search}`);
  const { method, body, version } = draft;
  const wrong = chosen.map(({ wrong: [what] }) => what);
  return { operation, wrong, answersOperation, leaves: draft.leaves, raw: { method, target, headers, body, version } };
}
