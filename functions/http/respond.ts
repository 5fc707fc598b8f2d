/** The way of a request, step by step; whatever happens, it is answered. */
import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions';
import { type Budget, createBudget } from '../../shared/budget.ts';
import { defaultRateLimits } from '../../shared/rate-limit.ts';
import { type Authenticate, createAuthenticate, nobody } from './authenticate.ts';
import { authorise } from './authorise.ts';
import { assertSameRequest } from './idempotency.ts';
import { createLimit, type Limit } from './limit.ts';
import { paramsOf, readCall } from './read.ts';
import { renderAnswer, renderProblem } from './render.ts';
import type { HttpPorts, Route } from './route.ts';

/** bytes of images to score that one process holds at a time */
const maxBodiesBytes = 32 * 1024 * 1024;
/** most images to score are smaller: they do not wait behind a large one that waits for room */
const smallBodyBytes = 256 * 1024;

/** What all requests of a process share. */
interface Shared {
  ports: HttpPorts;
  authenticate: Authenticate;
  limit: Limit;
  imageBytes: Budget;
}

/** Answers a request to a route. It never rejects: a streamed request whose handler does is never answered. */
export type Respond = (declared: Route, request: HttpRequest, context: InvocationContext) => Promise<HttpResponseInit>;

/** Creates what answers the requests of a process. */
export function createRespond(ports: HttpPorts): Respond {
  const shared: Shared = {
    ports,
    authenticate: createAuthenticate(ports),
    limit: createLimit(ports.clock, ports.rateLimits ?? defaultRateLimits),
    imageBytes: createBudget(maxBodiesBytes, smallBodyBytes),
  };
  return (...call) => respond(shared, ...call);
}

async function respond(
  { ports, authenticate, limit, imageBytes }: Shared,
  declared: Route,
  request: HttpRequest,
  context: InvocationContext,
): Promise<HttpResponseInit> {
  const headers: Record<string, string> = { 'x-request-id': context.invocationId };
  // taken as bytes arrive, not before: who announces much and sends nothing keeps nobody from being served
  const share = declared.takes === 'image' ? imageBytes.share() : undefined;
  try {
    const params = paramsOf(declared, request);
    const key = declared.role === 'open' ? nobody : await authenticate(request);
    if (declared.role !== 'open') limit('key', key.id, headers);
    authorise(key, declared, params);
    // after authorise: nobody uses up what is another project's
    if (params.project !== undefined) limit('project', params.project, headers);
    const call = await readCall(declared, request, context, { params, key, share });
    await assertSameRequest(ports, declared, call);
    return renderAnswer(await declared.handle(ports, call), headers);
  } catch (error) {
    return renderProblem(error, headers, context);
  } finally {
    share?.giveBack();
  }
}
