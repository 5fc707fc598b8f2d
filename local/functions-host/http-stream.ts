/**
 * HTTP with `enableHttpStream`: the raw request goes to the library's own server in the worker, the invocation goes
 * beside it, and both meet there by invocation id (DefaultHttpProxyService.cs of the real host).
 */
import { once } from 'node:events';
import {
  Agent,
  request as httpRequest,
  type ClientRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
} from 'node:http';
import { setImmediate as turn } from 'node:timers/promises';
import { answerEmpty, headerTexts, queryTexts, type HttpCall } from './http-call.ts';
import { newTraceContext, type Invoke, type Log } from './invoker.ts';
import type { TypedData } from './protocol.ts';
import { WorkerEnded, type WorkerProcess } from './worker-process.ts';

const hopByHop = new Set([
  'connection',
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'upgrade',
  'x-ms-invocation-id',
]);

function endToEnd(headers: OutgoingHttpHeaders, also?: string): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !hopByHop.has(name) && name !== also));
}

/**
 * A connection that is just closing would let the invocation wait for its request for ever: the library's server closes
 * idle ones after 5 s (Node's default), so these are given up well before.
 */
const agent = new Agent({ keepAlive: true, maxFreeSockets: 64, timeout: 2_000 });

function openForward(call: HttpCall, httpUri: string): ClientRequest {
  const { request, invocationId } = call;
  return httpRequest({
    host: '127.0.0.1',
    port: new URL(httpUri).port,
    method: request.method,
    path: call.url.pathname + call.url.search,
    agent,
    headers: {
      ...endToEnd(request.headers),
      'x-ms-invocation-id': invocationId,
      'x-forwarded-host': request.headers.host ?? 'localhost',
      'x-forwarded-proto': 'http',
    },
  });
}

/**
 * Resolves once the head of the request is on its way to the worker: from then on the library will see it. A body that is
 * here already goes in the same packet.
 */
async function headSent(forward: ClientRequest): Promise<void> {
  await turn();
  if (forward.destroyed) throw new Error('the worker cannot be reached, or the client has left');
  if (!forward.headersSent) forward.flushHeaders();
  const socket = forward.socket ?? ((await once(forward, 'socket')) as [NonNullable<ClientRequest['socket']>])[0];
  if (socket.connecting) await once(socket, 'connect');
}

function forwardBody(call: HttpCall, forward: ClientRequest): void {
  const { request, response, maxBodyBytes } = call;
  let sizeBytes = 0;
  request.on('data', (chunk: Buffer) => {
    sizeBytes += chunk.length;
    if (sizeBytes <= maxBodyBytes) return;
    answerEmpty(response, 413);
    request.unpipe(forward);
    forward.destroy();
  });
  request.pipe(forward);
}

function forwardResponse(call: HttpCall, answer: IncomingMessage): Promise<void> {
  const { response } = call;
  if (response.headersSent || response.destroyed) {
    answer.destroy();
    return Promise.resolve();
  }
  response.writeHead(answer.statusCode ?? 500, endToEnd(answer.headers, 'transfer-encoding'));
  return new Promise((resolve) => {
    response.once('close', () => resolve());
    // an answer that breaks off must not look complete
    answer.once('close', () => answer.complete || response.destroy());
    answer.on('error', () => response.destroy()).pipe(response);
  });
}

/** Trigger data of a streamed request: query values first, route values over them. The library makes `req.params` of both. */
function streamMetadata(call: HttpCall): Record<string, TypedData> {
  const query = queryTexts(call.url);
  const texts = Object.entries({ ...query, ...call.params }).map(([name, value]) => [name, { string: value }] as const);
  return {
    ...Object.fromEntries(texts),
    Headers: { json: JSON.stringify(headerTexts(call.request)) },
    Query: { json: JSON.stringify(query) },
  };
}

/**
 * Forwards a request to `worker` and its response back. A function that throws or returns nothing never answers
 * (azure-functions-nodejs-library #324), here as in Azure: the gateway timeout of the front ends it.
 * Resolves when the response is through, or nothing will come any more.
 */
export async function answerStream(
  call: HttpCall,
  worker: WorkerProcess,
  httpUri: string,
  invoke: Invoke,
  log: Log,
): Promise<void> {
  const { request, response, invocationId } = call;
  const forward = openForward(call, httpUri);
  let hasAnswer = false;
  const answered = new Promise<void>((resolve) => {
    forward.on('response', (answer) => {
      hasAnswer = true;
      // a refusal may leave some of the body unread, and then the library's server resets the connection behind it
      if ((answer.statusCode ?? 500) >= 400) forward.shouldKeepAlive = false;
      resolve(forwardResponse(call, answer));
    });
    forward.on('error', () => {
      // behind an answer it is about the rest of the body, which the library's server did not want
      if (!hasAnswer) answerEmpty(response, 502);
      resolve();
    });
    response.on('close', () => {
      forward.destroy();
      resolve();
    });
  });
  forwardBody(call, forward);
  try {
    // a client may leave before there is a connection, of which nothing more is heard then
    await Promise.race([headSent(forward), answered]);
  } catch {
    return answered;
  }
  if (forward.destroyed) return answered;
  const headers = headerTexts(request);
  const clientLeft = () => response.destroyed && !response.writableEnded;
  try {
    await invoke(call.function, {
      data: {},
      triggerMetadata: streamMetadata(call),
      invocationId,
      traceContext: newTraceContext(headers['traceparent'], headers['tracestate']),
      worker,
    });
    // The invocation ends after the library wrote its answer, which may still be on its way here: #324 shows as silence.
    await Promise.race([answered, new Promise((resolve) => setTimeout(resolve, 1000).unref())]);
    if (hasAnswer || clientLeft()) return await answered;
  } catch (error) {
    if (error instanceof WorkerEnded) return answerEmpty(response, 502);
    if (hasAnswer) return answerEmpty(response, 500); // cuts the answer short
  }
  const why = 'the function threw or returned nothing, and streamed requests are then never answered (library #324)';
  log('error', `no answer to ${request.method} ${call.url.pathname}: ${why}`, call.function.name, invocationId);
}
