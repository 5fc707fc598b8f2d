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
import { deadLetterRoutes } from './dead-letters.ts';
import { datasetExportRoutes } from './dvc.ts';
import { endpointRoutes } from './endpoint.ts';
import { modelRoutes } from './models.ts';
import { operationRoutes } from './operations.ts';
import { projectRoutes } from './projects.ts';
import { type Answer, type Call, type HttpPorts, type Route, route, scopeOf } from './route.ts';
import { callOf, paramsOf } from './call.ts';
import { repairRoutes } from './repair.ts';
import { sampleRoutes } from './samples.ts';
import { trainingRoutes } from './trainings.ts';
import { uploadRoutes } from './uploads.ts';
import { versionRoutes } from './versions.ts';

/** bytes of images to score that one process holds at a time */
const maxBodiesBytes = 32 * 1024 * 1024;
/** most images to score are smaller: they do not wait behind a large one that waits for room */
const smallBodyBytes = 256 * 1024;
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
  ...deadLetterRoutes,
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
  const imageBytes = createBudget(maxBodiesBytes, smallBodyBytes);
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
        'Send a valid API key in the header x-api-key. Make one where the settings of the platform are in the environment (set -a; . .darkroom/settings.env; set +a): npm run create-key -- --role operator. For one in Azure: npm run create-key -- --cosmos https://...',
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
  // taken as bytes arrive, not before: who announces much and sends nothing keeps nobody from being served
  const share = declared.takes === 'image' ? imageBytes.share() : undefined;
  try {
    const params = paramsOf(declared, request);
    const key = declared.role === 'open' ? nobody : await authenticate(request);
    if (!mayCall(key, declared, params)) {
      const detail = `This needs the role ${declared.role}${params['p'] === undefined ? '' : ` in project ${params['p']}`}; the key "${key.name}" has ${key.role} in ${key.project}.`;
      throw new Problem(403, 'forbidden', detail);
    }
    const call = await callOf(declared, request, context, { params, key, share });
    await assertSameRequest(ports, declared, call);
    return toResponse(await declared.handle(ports, call), requestId);
  } catch (error) {
    return toProblemResponse(error, requestId, context);
  } finally {
    share?.giveBack();
  }
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
