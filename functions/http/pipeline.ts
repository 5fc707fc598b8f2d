/** The way of a request, step by step; whatever happens, it is answered. */
import { createHash } from 'node:crypto';
import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions';
import { defaultRateLimits } from '../../shared/rate-limit.ts';
import { guarded } from './body-stream.ts';
import { createAuthenticate, nobody } from './authenticate.ts';
import { authorise } from './authorise.ts';
import { createCapacity } from './capacity.ts';
import { guardIdempotency } from './guard-idempotency.ts';
import { createLimit } from './limit.ts';
import { paramsOf } from './path.ts';
import { read } from './read.ts';
import { renderAnswer, renderError } from './render.ts';
import type { HttpPorts } from './route.ts';
import type { MountedRoute } from './surface.ts';
import { asRead, noteResponses, responseOf } from './unread.ts';

/** Answers a request to a route. It never rejects: a streamed request whose handler does is never answered. */
export type Pipeline = (
  mounted: MountedRoute,
  request: HttpRequest,
  context: InvocationContext,
) => Promise<HttpResponseInit>;

/** Creates the steps of one process, which all surfaces share, and puts them in order. */
export function createPipeline(ports: HttpPorts): Pipeline {
  noteResponses();
  const authenticate = createAuthenticate(ports);
  const limit = createLimit(ports.clock, ports.rateLimits ?? defaultRateLimits);
  const capacity = createCapacity();

  return async (mounted, request, context) => {
    const { route, surface } = mounted;
    const headers: Record<string, string> = { 'x-request-id': context.invocationId };
    let release = (): void => undefined;
    try {
      const url = new URL(request.url);
      const params = paramsOf(mounted, url);
      const key = route.role === 'open' ? nobody : await authenticate(request.headers, surface.credentials);
      if (route.role !== 'open') limit('key', key.id, headers);
      authorise(key, route, params);
      // after authorise: nobody uses up what is another project's
      if (params['project'] !== undefined) limit('project', params['project'], headers);
      const { bytes, slow } = capacity.ofBody(route, key.id);
      release = () => [bytes, slow].forEach((share) => share?.release());
      const call = await read(mounted, request, context, { url, params, key, bytes, slow, publicUrl: ports.publicUrl });
      const guard = (sha256: () => string): Promise<void> => guardIdempotency(ports, mounted, call, sha256);
      if (route.takes === 'model') call.stream = guarded(call.stream, guard);
      else {
        // who waits for an answer sends no slow body any more
        slow.release();
        await guard(() => createHash('sha256').update(call.bytes).digest('hex'));
      }
      const answer = await route.handle(ports, call);
      if (answer.stream === undefined) return renderAnswer(answer, headers);
      const stream = asRead(answer.stream, responseOf(context.invocationId), capacity.ofAnswer(key.id));
      return renderAnswer({ ...answer, stream }, headers);
    } catch (error) {
      return renderError(surface, error, headers, context);
    } finally {
      release();
    }
  };
}
