/**
 * Whom a local service answers: only who calls it by a loopback name. A page in a browser whose name was made to point to
 * this machine (DNS rebinding) comes with its own name in Host.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

const names = /^(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])(?::\d{1,5})?$/i;

/** Whether a Host header names this machine and nothing else. */
export const isLoopbackHost = (host: string | undefined): boolean => host !== undefined && names.test(host);

/** A listener that refuses every other name with 421, whatever else the request says. */
export const onLoopbackOnly =
  (listener: RequestListener): RequestListener =>
  (request: IncomingMessage, response: ServerResponse & { req: IncomingMessage }) => {
    if (isLoopbackHost(request.headers.host)) {
      listener(request, response);
      return;
    }
    const message = `This service of a local platform is called by the name of this machine (127.0.0.1 or localhost), not by ${JSON.stringify(request.headers.host?.slice(0, 100) ?? '')}.`;
    response.writeHead(421, { 'content-type': 'application/json', connection: 'close' });
    response.end(JSON.stringify({ error: { code: 'MisdirectedRequest', message } }));
  };
