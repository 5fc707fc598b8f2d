/** What makes a local service like one in Azure whose keys are switched off: TLS only, tokens only. */
import { createServer as createPlain, type RequestListener, type Server } from 'node:http';
import { createServer as createSecure } from 'node:https';
import { onLoopbackOnly } from '../loopback-host.ts';
import type { Certificate } from './certificate.ts';
import type { TokenIssuer } from './tokens.ts';

export interface Keyless {
  tls: Certificate;
  tokens: Pick<TokenIssuer, 'verify'>;
}

/** Resources that tokens are asked for, as the SDKs name them. */
export const resources = {
  arm: 'https://management.azure.com',
  blob: 'https://storage.azure.com',
  insights: 'https://monitor.azure.com',
  serviceBus: 'https://servicebus.azure.net',
} as const;

/** An HTTP server of a local service, for callers by a loopback name only: with TLS where it is keyless. */
export function httpServer(keyless: Keyless | undefined, listener: RequestListener): Server {
  const guarded = onLoopbackOnly(listener);
  return keyless === undefined ? createPlain(guarded) : createSecure(keyless.tls, guarded);
}

/** How addresses of a service begin. */
export const scheme = (keyless: Keyless | undefined): 'http' | 'https' => (keyless === undefined ? 'http' : 'https');

/** Why a request's bearer token does not let it in; undefined when it does. */
export function whyNot(keyless: Keyless, authorization: string | undefined, resource: string): string | undefined {
  const token = /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1];
  if (token === undefined) return 'there is no bearer token';
  try {
    keyless.tokens.verify(token, resource);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : 'the token cannot be read';
  }
}
