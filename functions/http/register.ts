/** Registers every route; each call is checked, answered whatever happens, and its errors are problem details. */
import type { app, HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import * as z from 'zod';
import { allows, keyId } from '../../shared/api/keys.ts';
import { openApi } from '../../shared/api/openapi.ts';
import { Problem, problemOf, toProblemBody } from '../../shared/api/problem.ts';
import type { KeyDocument } from '../../shared/documents.ts';
import { RetryLater, TerminalError } from '../../shared/errors.ts';
import { type Budget, createBudget } from '../../shared/budget.ts';
import { digestOf } from '../../shared/names.ts';
import { datasetExportRoutes } from './dvc.ts';
import { endpointRoutes } from './endpoint.ts';
import { modelRoutes } from './models.ts';
import { operationRoutes } from './operations.ts';
import { projectRoutes } from './projects.ts';
import { type Answer, type Call, type HttpPorts, type Route, route, scopeOf } from './route.ts';
import { repairRoutes } from './repair.ts';
import { sampleRoutes } from './samples.ts';
import { trainingRoutes } from './trainings.ts';
import { uploadRoutes } from './uploads.ts';
import { versionRoutes } from './versions.ts';

const maxJsonBytes = 512 * 1024;
const maxImageBytes = 50 * 1024 * 1024;
/** bytes of images to score that one process holds at a time */
const maxBodiesBytes = 32 * 1024 * 1024;
/** names have 100 characters at most, of up to nine characters each when percent-encoded */
const maxSegmentLength = 900;
/** how much of what is wrong an answer repeats */
const maxEcho = 200;
const keyTrustMs = 30_000;
const maxKnownKeys = 1000;

const domainRoutes: Route[] = [
  ...projectRoutes,
  ...uploadRoutes,
  ...sampleRoutes,
  ...versionRoutes,
  ...datasetExportRoutes,
  ...trainingRoutes,
  ...modelRoutes,
  ...endpointRoutes,
  ...operationRoutes,
  ...repairRoutes,
];

const openApiRoute = (name: string, path: string): Route =>
  route({
    name,
    method: 'GET',
    path,
    role: 'viewer',
    scope: 'any-key',
    summary: 'This API as OpenAPI 3.1',
    answers: { 200: z.looseObject({ openapi: z.string() }) },
    handle: () => Promise.resolve({ status: 200, json: openApi(described, '1') }),
  });

/** Every route of the API. */
export const routes: Route[] = [
  ...domainRoutes,
  openApiRoute('openapi', 'openapi.json'),
  openApiRoute('openapi-v1', 'v1/openapi.json'),
];

const described = routes.map((one) => ({ ...one, scope: scopeOf(one) }));

/** Registers the table with the Functions runtime. */
export function registerHttp(target: Pick<typeof app, 'http'>, ports: HttpPorts): void {
  const authenticate = createAuthenticator(ports);
  const imageBytes = createBudget(maxBodiesBytes);
  for (const declared of routes) {
    target.http(`http-${declared.name}`, {
      methods: [declared.method],
      route: declared.path,
      authLevel: 'anonymous',
      handler: (request, context) => respond({ ports, authenticate, imageBytes }, declared, request, context),
    });
  }
}

type Authenticate = (request: HttpRequest) => Promise<KeyDocument>;

/** Finds the key of a request; keys are remembered for half a minute at most. */
function createAuthenticator(ports: HttpPorts): Authenticate {
  const known = new Map<string, { key: KeyDocument; at: number }>();
  return async (request) => {
    const bearer = /^Bearer (dk_.+)$/.exec(request.headers.get('authorization') ?? '')?.[1];
    const id = keyId(request.headers.get('x-api-key') ?? bearer ?? '');
    const refused = (): Problem =>
      new Problem(
        401,
        'unauthorized',
        'Send a valid API key in the header x-api-key. Make one with: npm run create-key -- --role operator',
      );
    if (id === undefined) throw refused();
    const now = ports.clock.now().getTime();
    const remembered = known.get(id);
    if (remembered !== undefined && now - remembered.at < keyTrustMs) return remembered.key;
    const found = await ports.documents.read('keys', id, id);
    if (found === undefined) throw refused();
    const oldest = known.keys().next().value;
    if (known.size >= maxKnownKeys && oldest !== undefined) known.delete(oldest);
    known.set(id, { key: found.document, at: now });
    return found.document;
  };
}

const nobody: KeyDocument = { id: '', pk: '', name: 'anonymous', role: 'viewer', project: '', createdAt: '' };

interface Shared {
  ports: HttpPorts;
  authenticate: Authenticate;
  imageBytes: Budget;
}

async function respond(
  { ports, authenticate, imageBytes }: Shared,
  declared: Route,
  request: HttpRequest,
  context: InvocationContext,
): Promise<HttpResponseInit> {
  const requestId = context.invocationId;
  let release = (): void => undefined;
  try {
    const params = paramsOf(declared, request);
    const key = declared.role === 'open' ? nobody : await authenticate(request);
    if (!mayCall(key, declared, params)) {
      const detail = `This needs the role ${declared.role}${params['p'] === undefined ? '' : ` in project ${params['p']}`}; the key "${key.name}" has ${key.role} in ${key.project}.`;
      throw new Problem(403, 'forbidden', detail);
    }
    if (declared.takes === 'image') release = await imageBytes.take(announcedBytes(request));
    const call = await callOf(declared, request, context, params, key);
    await assertSameRequest(ports, declared, call);
    return toResponse(await declared.handle(ports, call), requestId);
  } catch (error) {
    return toProblemResponse(error, requestId, context);
  } finally {
    release();
  }
}

/** Size of the body as the client says; one that says nothing may send as much as is allowed. */
function announcedBytes(request: HttpRequest): number {
  const said = Number(request.headers.get('content-length') ?? Number.NaN);
  return Number.isSafeInteger(said) && said >= 0 ? Math.min(said, maxImageBytes) : maxImageBytes;
}

/** An Idempotency-Key stands for one request: with another body it is refused, whatever the route would say. */
async function assertSameRequest(ports: HttpPorts, declared: Route, call: Call<unknown, unknown>): Promise<void> {
  if (call.idempotencyKey === undefined || declared.method === 'GET') return;
  const id = digestOf(40, declared.name, ...Object.values(call.params), call.key.id, call.idempotencyKey);
  const body = createHash('sha256').update(call.bytes).digest('hex');
  const at = ports.clock.now().toISOString();
  const created = await ports.documents.create('requests', { id, pk: id, body, at });
  const first = created === 'exists' ? (await ports.documents.read('requests', id, id))?.document.body : body;
  if (first === undefined || first === body) return;
  throw new Problem(
    409,
    'idempotency-key-reused',
    'This Idempotency-Key was used for another body within the last day. Use a new key for a new request.',
    { target: 'Idempotency-Key' },
  );
}

function mayCall(key: KeyDocument, declared: Route, params: Record<string, string>): boolean {
  if (declared.role === 'open') return true;
  return allows(key, declared.role, scopeOf(declared) === 'any-key' ? key.project : params['p']);
}

/** Only the names of the route: with streams, query values leak into the parameters. The host matches letters of any case. */
function paramsOf(declared: Route, request: HttpRequest): Record<string, string> {
  const names = [...declared.path.matchAll(/\{(\w+)\}/g)].map((m) => m[1] ?? '');
  const segments = new URL(request.url).pathname.replace(/^\/api\//i, '').split('/');
  const pattern = declared.path.split('/');
  return Object.fromEntries(names.map((name) => [name, decode(segments[pattern.indexOf(`{${name}}`)] ?? '')]));
}

function decode(segment: string): string {
  if (segment.length > maxSegmentLength) {
    const detail = `A part of the path has more than ${maxSegmentLength} characters. No name or id here is that long.`;
    throw new Problem(400, 'invalid-path', detail);
  }
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new Problem(
      400,
      'invalid-path',
      `The part "${segment.slice(0, 100)}" of the path is not percent-encoded text.`,
    );
  }
}

async function callOf(
  declared: Route,
  request: HttpRequest,
  context: InvocationContext,
  params: Record<string, string>,
  key: KeyDocument,
): Promise<Call<unknown, unknown>> {
  const bytes =
    declared.method === 'GET'
      ? Buffer.alloc(0)
      : await readBody(request, declared.takes === 'image' ? maxImageBytes : maxJsonBytes);
  const url = new URL(request.url);
  const traceparent = context.traceContext?.traceParent ?? request.headers.get('traceparent') ?? undefined;
  const idempotencyKey = header(request, 'idempotency-key');
  return {
    params,
    query: parse(declared.query ?? z.strictObject({}), queryOf(url), 'query'),
    body:
      declared.takes === 'image' || declared.method === 'GET'
        ? undefined
        : parse(declared.body ?? z.strictObject({}).optional(), toJson(bytes), 'body'),
    bytes,
    contentType: header(request, 'content-type')?.split(';')[0]?.trim().toLowerCase(),
    ifMatch: header(request, 'if-match'),
    idempotencyKey,
    key,
    by: key.name,
    cause: {
      id: idempotencyKey === undefined ? `http-${context.invocationId}` : `http-${declared.name}-${idempotencyKey}`,
      ...(traceparent === undefined ? {} : { traceparent }),
    },
    base: `${url.origin}/api/v1`,
  };
}

/** One text per name: of two values nobody could say which one counts. */
function queryOf({ searchParams }: URL): Record<string, string> {
  const names = [...searchParams.keys()];
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice === undefined) return Object.fromEntries(searchParams);
  const target = twice.slice(0, maxEcho);
  throw new Problem(400, 'invalid-query', `"${target}" is in the query twice. Send it once.`, { target });
}

function header(request: HttpRequest, name: string): string | undefined {
  const value = request.headers.get(name);
  if (value === null) return undefined;
  if (value === '') {
    const detail = `The header ${name} is empty. Give it a value, or leave it out.`;
    throw new Problem(400, 'invalid-header', detail, { target: name });
  }
  if (value.length > 200)
    throw new Problem(400, 'invalid-header', `The header ${name} has more than 200 characters.`, { target: name });
  return value;
}

async function readBody(request: HttpRequest, maxBytes: number): Promise<Buffer> {
  if (request.body === null) return Buffer.alloc(0);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request.body as unknown as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > maxBytes)
      throw new Problem(413, 'body-too-large', `The body has more than ${maxBytes / 1024} KB. Send less.`);
    chunks.push(Buffer.from(chunk));
  }
  return Buffer.concat(chunks);
}

function toJson(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  try {
    // bytes that are no UTF-8 would become other characters in silence
    return JSON.parse(utf8.decode(bytes));
  } catch {
    throw new Problem(400, 'invalid-json', 'The body is not JSON. Send a JSON object in UTF-8.', { target: 'body' });
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function parse(type: z.ZodType, value: unknown, where: 'body' | 'query'): unknown {
  const parsed = type.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const named = issue?.path.join('.') || (issue?.code === 'unrecognized_keys' ? issue.keys.join(', ') : where);
  const target = named.slice(0, maxEcho);
  const why = (issue?.message ?? 'not understood').slice(0, maxEcho);
  const hint = 'See /api/openapi.json for what is expected.';
  throw new Problem(400, `invalid-${where}`, `"${target}" in the ${where} is not valid: ${why}. ${hint}`, { target });
}

function toResponse(answer: Answer, requestId: string): HttpResponseInit {
  const headers: Record<string, string> = { 'x-request-id': requestId, ...answer.headers };
  if (answer.stream !== undefined) {
    headers['content-type'] = answer.contentType ?? 'application/octet-stream';
    return { status: answer.status, headers, body: Readable.from(answer.stream) };
  }
  if (answer.text !== undefined) {
    headers['content-type'] = answer.contentType ?? 'text/plain; charset=utf-8';
    return { status: answer.status, headers, body: answer.text };
  }
  headers['content-type'] = 'application/json';
  return { status: answer.status, headers, body: JSON.stringify(answer.json ?? {}) };
}

function toProblemResponse(error: unknown, requestId: string, context: InvocationContext): HttpResponseInit {
  const problem =
    error instanceof Problem
      ? error
      : error instanceof TerminalError
        ? problemOf(error.code, error.message)
        : error instanceof RetryLater
          ? new Problem(503, 'try-again', `${error.message} Send the request again.`, { retryAfterSeconds: 2 })
          : new Problem(
              500,
              'internal-error',
              'Something failed that should not have. Try again; if it stays, report the request id.',
            );
  if (problem.status === 500) context.error(error instanceof Error ? (error.stack ?? error.message) : 'unknown error');
  const headers: Record<string, string> = {
    'content-type': 'application/problem+json',
    'x-ms-error-code': problem.code,
    'x-request-id': requestId,
    ...(problem.retryAfterSeconds === undefined ? {} : { 'retry-after': String(problem.retryAfterSeconds) }),
    ...(problem.status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
  };
  return { status: problem.status, headers, body: JSON.stringify(toProblemBody(problem, requestId)) };
}
