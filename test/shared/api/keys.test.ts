import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { allows, roles } from '../../../shared/api/keys.ts';
import { keyDocument, keyId, newKey } from '../../../shared/key/secret.ts';

const key = newKey(randomBytes(32));
const grant = { name: 'app', role: 'labeler' as const, project: 'digits' };

describe('an API key', () => {
  test('is kept as its digest only', () => {
    const document = keyDocument(key, grant, '2026-03-01T12:00:00Z');
    expect(document).toMatchObject({ ...grant, id: keyId(key), pk: keyId(key) });
    expect(JSON.stringify(document)).not.toContain(key.slice(3));
    expect(keyId(key)).toMatch(/^[0-9a-f]{64}$/);
  });

  test('is 256 random bits and nothing else is one', () => {
    expect(key).toMatch(/^dk_[A-Za-z0-9_-]{43}$/);
    for (const wrong of [
      '',
      'dk_',
      key.slice(0, -1),
      `${key}a`,
      ` ${key}`,
      `${key}\n`,
      key.replace('dk_', 'DK_'),
      `dk_${'+'.repeat(43)}`,
    ])
      expect(keyId(wrong)).toBeUndefined();
    expect(() => newKey(randomBytes(16))).toThrow('32 random bytes');
    expect(() => keyDocument('dk_short', grant, '')).toThrow('not a key');
  });

  test('allows what its role allows and what lesser roles allow, in its project alone', () => {
    for (const [i, held] of roles.entries()) {
      for (const [j, needed] of roles.entries()) {
        const document = keyDocument(key, { ...grant, role: held }, '');
        expect(allows(document, needed, 'digits')).toBe(i >= j);
        expect(allows(document, needed, 'other')).toBe(false);
        expect(allows(document, needed, undefined)).toBe(false);
        const everywhere = { ...document, project: '*' };
        expect([allows(everywhere, needed, 'other'), allows(everywhere, needed, undefined)]).toEqual([i >= j, i >= j]);
      }
    }
  });
});
