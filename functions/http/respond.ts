/** The way of a request, step by step; whatever happens, it is answered. */
import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions';
import { type Budget, createBudget, type Share } from '../../shared/budget.ts';
import { defaultRateLimits } from '../../shared/rate-limit.ts';
import { type Authenticate, createAuthenticate, nobody } from './authenticate.ts';
import { authorise } from './authorise.ts';
import { assertSameRequest } from './guard-idempotency.ts';
import { createLimit, type Limit } from './limit.ts';
import { paramsOf, readCall } from './read.ts';
import { renderAnswer, renderProblem } from './render.ts';
import type { Answer, HttpPorts, Route } from './route.ts';
import { asRead, noteResponses, responseOf } from './unread.ts';

/** bytes of images to score that one process holds at a time, and those of one key: half are always for others */
const maxBodiesBytes = 64 * 1024 * 1024;
const maxBodiesBytesOfKey = 32 * 1024 * 1024;
/** most images to score are smaller: they do not wait behind a large one that waits for room */
const smallBodyBytes = 256 * 1024;
/** Of the 16 requests that Azure hands to an instance at a time, some are always for other keys. */
const maxSlowBodiesOfKey = 12;
const maxSlowAnswersOfKey = 12;
/** Each costs little more than a connection, of which there are many more. */
const maxSlow = 512;

/** What all requests of a process share. */
interface Shared {
  ports: HttpPorts;
  authenticate: Authenticate;
  limit: Limit;
  imageBytes: Budget;
  slowBodies: Budget;
  slowAnswers: Budget;
}

/** Answers a request to a route. It never rejects: a streamed request whose handler does is never answered. */
export type Respond = (declared: Route, request: HttpRequest, context: InvocationContext) => Promise<HttpResponseInit>;

/** Creates what answers the requests of a process. */
export function createRespond(ports: HttpPorts): Respond {
  noteResponses();
  const shared: Shared = {
    ports,
    authenticate: createAuthenticate(ports),
    limit: createLimit(ports.clock, ports.rateLimits ?? defaultRateLimits),
    imageBytes: createBudget(maxBodiesBytes, { passing: smallBodyBytes, perOwner: maxBodiesBytesOfKey }),
    slowBodies: createBudget(maxSlow, { perOwner: maxSlowBodiesOfKey }),
    slowAnswers: createBudget(maxSlow, { perOwner: maxSlowAnswersOfKey }),
  };
  return (...call) => respond(shared, ...call);
}

/** Answers without a route, and so without a key: what `make` returns, or the problem that it throws. */
export async function answered(context: InvocationContext, make: () => Answer): Promise<HttpResponseInit> {
  const headers: Record<string, string> = { 'x-request-id': context.invocationId };
  try {
    return renderAnswer(make(), headers);
  } catch (error) {
    return renderProblem(error, headers, context);
  }
}

async function respond(
  { ports, authenticate, limit, imageBytes, slowBodies, slowAnswers }: Shared,
  declared: Route,
  request: HttpRequest,
  context: InvocationContext,
): Promise<HttpResponseInit> {
  const headers: Record<string, string> = { 'x-request-id': context.invocationId };
  const taken: Share[] = [];
  const shareOf = (budget: Budget, owner: string): Share => {
    const share = budget.share(owner);
    taken.push(share);
    return share;
  };
  try {
    const params = paramsOf(declared, request);
    const key = declared.role === 'open' ? nobody : await authenticate(request);
    if (declared.role !== 'open') limit('key', key.id, headers);
    authorise(key, declared, params);
    // after authorise: nobody uses up what is another project's
    if (params.project !== undefined) limit('project', params.project, headers);
    // taken as bytes arrive, not before: who announces much and sends nothing keeps nobody from being served
    const share = declared.takes === 'image' ? shareOf(imageBytes, key.id) : undefined;
    const slow = shareOf(slowBodies, key.id);
    const limits = { share, slow };
    const call = await readCall(declared, request, context, { params, key, limits, base: ports.publicUrl ?? '' });
    slow.giveBack();
    await assertSameRequest(ports, declared, call);
    const answer = await declared.handle(ports, call);
    if (answer.stream === undefined) return renderAnswer(answer, headers);
    const stream = asRead(answer.stream, responseOf(context.invocationId), slowAnswers.share(key.id));
    return renderAnswer({ ...answer, stream }, headers);
  } catch (error) {
    return renderProblem(error, headers, context);
  } finally {
    for (const share of taken) share.giveBack();
  }
}
