/** What a client says that its body is. */
import { createHash } from 'node:crypto';
import { Problem } from '../../shared/api/problem.ts';

/** as https://www.iana.org/assignments/http-digest-hash-alg calls them; only these are told apart */
const algorithms: Record<string, string> = { md5: 'md5', sha: 'sha1', 'sha-256': 'sha256', 'sha-512': 'sha512' };

/** of one header: each costs a pass over the body */
const maxClaims = 4;

interface Claim {
  header: string;
  algorithm: string;
  digest: Buffer;
}

const notUnderstood = (header: string): Problem =>
  new Problem(
    400,
    'invalid-header',
    `The header ${header} is not understood. Send Content-Digest: sha-256=:...: with the digest in base64, or leave it out.`,
    { target: header },
  );

/** `name=value, ...`: the value in colons (RFC 9530) or without (RFC 3230). */
function claimsOf(header: string, text: string, shape: RegExp): Claim[] {
  const members = text.split(',', maxClaims + 1);
  if (members.length > maxClaims) throw notUnderstood(header);
  const claims = members.map((member) => {
    const [, name = '', base64] = shape.exec(member.trim()) ?? [];
    if (base64 === undefined) throw notUnderstood(header);
    return { header, algorithm: algorithms[name.toLowerCase()] ?? '', digest: Buffer.from(base64, 'base64') };
  });
  const known = claims.filter(({ algorithm }) => algorithm !== '');
  // a claim that nobody compares would look like one that holds
  if (known.length === 0) throw notUnderstood(header);
  return known;
}

const shapes: Record<string, RegExp> = {
  'content-digest': /^([\w-]+)=:([A-Za-z0-9+/]+=*):$/,
  'repr-digest': /^([\w-]+)=:([A-Za-z0-9+/]+=*):$/,
  digest: /^([\w-]+)=([A-Za-z0-9+/]+=*)$/,
};

/**
 * Compares a body with the digests that its headers claim: Content-Digest and Repr-Digest (RFC 9530; the same thing here,
 * where nothing is encoded), Digest (RFC 3230), Content-MD5 (RFC 1864). Throws a 400 where one is another or not understood.
 */
export function assertDigest(headers: { get(name: string): string | null }, body: Buffer): void {
  const check = createDigestCheck(headers);
  check.update(body);
  check.assert();
}

/** The digests of a body, of which the parts come one after the other. */
export interface DigestCheck {
  update(part: Uint8Array): void;
  /** Throws a 400 where a claimed digest is another. */
  assert(): void;
}

/** Begins to compare a body with what its headers claim; throws a 400 where that is not understood. */
export function createDigestCheck(headers: { get(name: string): string | null }): DigestCheck {
  const md5 = headers.get('content-md5');
  const claims = md5 === null ? [] : claimsOf('content-md5', `md5=${md5}`, shapes['digest'] as RegExp);
  for (const [header, shape] of Object.entries(shapes)) {
    const text = headers.get(header);
    if (text !== null) claims.push(...claimsOf(header, text, shape));
  }
  const hashes = claims.map((claim) => ({ ...claim, hash: createHash(claim.algorithm) }));
  let size = 0;
  return {
    update(part) {
      size += part.length;
      for (const { hash } of hashes) hash.update(part);
    },
    assert() {
      for (const { header, algorithm, digest, hash } of hashes) {
        const actual = hash.digest();
        if (actual.equals(digest)) continue;
        const detail = `The ${size} bytes that arrived have the ${algorithm} ${actual.toString('base64')}, and ${header} claims ${digest.toString('base64')}. Send the request again.`;
        throw new Problem(400, 'digest-mismatch', detail, { target: header });
      }
    },
  };
}
