/** One HTTP request on its way to a function. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HttpFunction } from './http-routes.ts';
import { WorkerEnded } from './worker-process.ts';

export interface HttpCall {
  function: HttpFunction;
  params: Record<string, string>;
  url: URL;
  invocationId: string;
  request: IncomingMessage;
  response: ServerResponse;
}

/** the limit of Azure Functions on a request body (FUNCTIONS_REQUEST_BODY_SIZE_LIMIT) */
export const maxBodyBytes = 104_857_600;

/** Headers as the host passes them on: one text per name. */
export function headerTexts(request: IncomingMessage): Record<string, string> {
  const entries = Object.entries(request.headers).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : String(value)]),
  );
}

/** Query values by name; repeated ones arrive joined by a comma, as in Azure. */
export function queryTexts(url: URL): Record<string, string> {
  const names = [...new Set(url.searchParams.keys())];
  return Object.fromEntries(names.map((name) => [name, url.searchParams.getAll(name).join(',')]));
}

/** Answers without a body, or cuts the connection when the answer has begun. */
export function answerEmpty(response: ServerResponse, status: number): void {
  if (response.writableEnded) return;
  if (response.headersSent) response.destroy();
  else response.writeHead(status, { 'content-length': 0 }).end();
}

/** The status for an invocation that failed: nothing of the error is told to the client. */
export function failureStatus(error: unknown): number {
  return error instanceof WorkerEnded ? 502 : 500;
}
