/** What nobody reads: the rest of a request that was answered early, and an answer that a client does not take. */
import type { IncomingMessage, ServerResponse } from 'node:http';

/** as Kestrel, the server in Azure Functions, has them: RequestBodyDrainTimeout, and the grace of MinResponseDataRate */
const drainMs = 5_000;
const unreadMs = 5_000;

/**
 * Reads and drops what is left of a request once it is answered, so that the client gets the answer and can use the
 * connection again; one that takes longer than 5 s loses it.
 */
export function drainAfter(response: ServerResponse, request: IncomingMessage, limitMs = drainMs): void {
  response.once('finish', () => {
    if (request.complete || request.destroyed) return;
    request.unpipe().resume();
    const timer = setTimeout(() => request.socket.destroy(), limitMs);
    request.once('close', () => clearTimeout(timer)).once('end', () => clearTimeout(timer));
  });
}

/** Ends the connection when the client takes nothing for 5 s of an answer that is ready for it. */
export function endUnread(response: ServerResponse, limitMs = unreadMs): void {
  // Node does not call it while a write makes progress; before there is an answer nothing is to be written
  response.setTimeout(limitMs, () => {
    const { socket } = response;
    if (socket !== null && socket.writableLength > 0) socket.destroy();
  });
}
