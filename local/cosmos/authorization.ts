/** Master key signatures and tokens (https://learn.microsoft.com/rest/api/cosmos-db/access-control-on-cosmosdb-resources). */
import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Keyless } from '../identity/keyless.ts';
import { Failure } from './failure.ts';

/** The key every Cosmos DB emulator has; it is published and protects nothing. */
export const emulatorKey = 'C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw==';

function signatureIn(header: string | undefined): Buffer {
  try {
    const match = /^type=master&ver=1\.0&sig=(.+)$/.exec(decodeURIComponent(header ?? ''));
    return Buffer.from(match?.[1] ?? '', 'base64');
  } catch {
    return Buffer.alloc(0);
  }
}

/** Checks the token of a request where keys are switched off. Throws 401. */
export function authorizeByToken(keyless: Keyless, endpoint: string, authorization: string | undefined): void {
  const token = /^type=aad&ver=1\.0&sig=(\S+)$/.exec(decodeURIComponent(authorization ?? ''))?.[1];
  if (token === undefined)
    throw new Failure(401, 'Local Authorization is disabled. Use an AAD token to authorize all requests.');
  try {
    keyless.tokens.verify(token, endpoint);
  } catch (error) {
    throw new Failure(401, `The token is not taken: ${error instanceof Error ? error.message : 'unreadable'}`);
  }
}

/** Makes the check of who asks for the resource with these (decoded) path segments, for a key in base64. It throws 401. */
export function authorizeByKey(
  key: string,
): (method: string, segments: string[], headers: IncomingHttpHeaders) => void {
  const secret = createSecretKey(key, 'base64');
  return (method, segments, headers) => authorize(secret, method, segments, headers);
}

function authorize(secret: KeyObject, method: string, segments: string[], headers: IncomingHttpHeaders): void {
  const isFeed = segments.length % 2 === 1;
  const type = segments.at(isFeed ? -1 : -2) ?? '';
  const link = (isFeed ? segments.slice(0, -1) : segments).join('/');
  // who addresses by resource ids (.NET) signs the last of them alone, in lower case
  const rid = (segments.at(isFeed ? -2 : -1) ?? '').toLowerCase();
  const date = (headers['x-ms-date'] ?? '').toString();
  const given = signatureIn(headers.authorization);
  // everything but the link is signed in lower case
  const head = `${method}\n${type}\n`.toLowerCase();
  const tail = `${date}\n${date === '' ? (headers.date ?? '') : ''}\n`.toLowerCase();
  const isSigned = (resource: string): boolean => {
    const expected = createHmac('sha256', secret).update(`${head}${resource}\n${tail}`).digest();
    return given.length === expected.length && timingSafeEqual(given, expected);
  };
  if (!isSigned(link) && !isSigned(rid)) {
    throw new Failure(
      401,
      "The input authorization token can't serve the request. The wrong key is being used or the expected payload is not built as per the protocol.",
    );
  }
}
