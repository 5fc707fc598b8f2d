/** Access tokens as Microsoft Entra ID issues them to a managed identity: JWTs (RFC 7519) signed with ES256 (RFC 7518). */
import { generateKeyPairSync, randomUUID, sign, verify } from 'node:crypto';
import * as z from 'zod';

/** as long as the tokens of managed identities are good for */
const lifetimeSeconds = 86_400;
const clockSkewSeconds = 300;

const claims = z.looseObject({ aud: z.string(), iss: z.string(), exp: z.number(), nbf: z.number() });

export interface TokenIssuer {
  /** client id of the one identity that gets tokens */
  clientId: string;
  issue(resource: string): { token: string; expiresOnSeconds: number };
  /** Throws an error that says why, when a token was not issued here, for another resource, or is over. */
  verify(token: string, resource: string): void;
}

/** Resources are written with and without a slash at the end, and Entra ID takes both. */
const normal = (resource: string): string => resource.replace(/\/+$/, '').toLowerCase();
const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
const decode = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));

/** Makes an issuer with a key of its own. */
export function tokenIssuer(): TokenIssuer {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const [tenant, clientId, objectId] = [randomUUID(), randomUUID(), randomUUID()];
  const issuer = `https://sts.windows.net/${tenant}/`;
  // JWTs carry both numbers of a signature side by side, not in DER
  const dsaEncoding = 'ieee-p1363';
  return {
    clientId,
    issue(resource) {
      const now = Math.floor(Date.now() / 1000);
      const expiresOnSeconds = now + lifetimeSeconds;
      const about = { iss: issuer, aud: resource, iat: now, nbf: now - clockSkewSeconds, exp: expiresOnSeconds };
      const who = { appid: clientId, oid: objectId, sub: objectId, tid: tenant, ver: '1.0' };
      const signed = `${encode({ typ: 'JWT', alg: 'ES256' })}.${encode({ ...about, ...who })}`;
      const signature = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding });
      return { token: `${signed}.${signature.toString('base64url')}`, expiresOnSeconds };
    },
    verify(token, resource) {
      const [head = '', body = '', signature = ''] = token.split('.');
      const signed = Buffer.from(`${head}.${body}`);
      if (!verify('sha256', signed, { key: publicKey, dsaEncoding }, Buffer.from(signature, 'base64url')))
        throw new Error('the token was not issued by this platform');
      const { aud, iss, exp, nbf } = claims.parse(decode(body));
      const now = Date.now() / 1000;
      if (iss !== issuer) throw new Error(`the token was issued by ${iss}`);
      if (normal(aud) !== normal(resource)) throw new Error(`the token is for ${aud} instead of ${resource}`);
      if (now < nbf || now > exp) throw new Error('the token is not good now');
    },
  };
}
