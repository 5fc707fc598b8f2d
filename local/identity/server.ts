/**
 * The managed identity endpoint that App Service and Functions give to an app: IDENTITY_ENDPOINT and IDENTITY_HEADER.
 * Protocol: https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference (2019-08-01).
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { listen, loopback } from '../listen.ts';
import { isSame } from './is-same.ts';
import type { TokenIssuer } from './tokens.ts';

const version = '2019-08-01';

export interface IdentityService {
  port: number;
  /** what Azure sets in the environment of an app */
  environment: { IDENTITY_ENDPOINT: string; IDENTITY_HEADER: string };
  close(): Promise<void>;
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

const refuse = (response: ServerResponse, status: number, message: string): void =>
  answer(response, status, { statusCode: status, message });

function handle(request: IncomingMessage, response: ServerResponse, issuer: TokenIssuer, secret: string): void {
  request.resume();
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://local');
  if (request.method !== 'GET' || pathname !== '/msi/token') return refuse(response, 404, 'not found');
  // it proves that the request is the app's own, not one that the app was talked into
  if (!isSame(String(request.headers['x-identity-header'] ?? ''), secret))
    return refuse(response, 401, 'X-IDENTITY-HEADER is missing or wrong');
  if (searchParams.get('api-version') !== version) return refuse(response, 400, `api-version must be ${version}`);
  const resource = searchParams.get('resource');
  if (resource === null || resource === '') return refuse(response, 400, 'resource is missing');
  if (searchParams.get('client_id') !== issuer.clientId)
    return refuse(response, 400, 'No User Assigned or Delegated Managed Identity found for specified ClientId');
  const { token, expiresOnSeconds } = issuer.issue(resource);
  answer(response, 200, {
    access_token: token,
    expires_on: String(expiresOnSeconds),
    resource,
    token_type: 'Bearer',
    client_id: issuer.clientId,
  });
}

/** Starts the endpoint. The identity is user-assigned: it is asked for by its client id. Throws when the port is taken. */
export async function startIdentity(options: { port: number; issuer: TokenIssuer }): Promise<IdentityService> {
  const secret = randomUUID();
  const server = createServer((request, response) => handle(request, response, options.issuer, secret));
  const binding = { port: options.port, host: loopback, purpose: 'identity', setting: 'ports.identity' };
  const port = await listen(server, binding);
  return {
    port,
    environment: { IDENTITY_ENDPOINT: `http://${loopback}:${port}/msi/token`, IDENTITY_HEADER: secret },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
