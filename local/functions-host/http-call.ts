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
  /** what its body may have */
  maxBodyBytes: number;
}

/** The limit of Azure Functions on a request body where the app settings name no other. */
export const defaultMaxBodyBytes = 104_857_600;

/** Headers as the host passes them on: one text per name, and what Azure's front end says of the client's address. */
export function headerTexts(request: IncomingMessage): Record<string, string> {
  const entries = Object.entries(request.headers).filter(([, value]) => value !== undefined);
  const texts = Object.fromEntries(
    entries.map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : String(value)]),
  );
  const { remoteAddress = '', remotePort = 0, remoteFamily } = request.socket;
  const client = remoteFamily === 'IPv6' ? `[${remoteAddress}]:${remotePort}` : `${remoteAddress}:${remotePort}`;
  const before = texts['x-forwarded-for'];
  // written over whatever the client says, and appended to it: so it is in Azure
  return { ...texts, 'client-ip': client, 'x-forwarded-for': before === undefined ? client : `${before}, ${client}` };
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
