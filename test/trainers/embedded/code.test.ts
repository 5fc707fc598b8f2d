import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { codeDigest } from '../../../trainers/embedded/code.ts';

test('the digest of the program follows every file that it imports, and not where it lies', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'code-'));
  const at = (name: string): string => path.join(folder, 'here', name);
  try {
    await mkdir(at('.'));
    await writeFile(at('main.mjs'), "import { b } from './b.mjs';\nconst c = await import('./c.mjs');\n");
    await writeFile(at('b.mjs'), "export * from './main.mjs';\n");
    await writeFile(at('c.mjs'), "const text = `from './missing.mjs'`;\n");
    const before = codeDigest(at('main.mjs'));
    expect(before).toMatch(/^sha256:[0-9a-f]{64}$/);
    await cp(at('.'), path.join(folder, 'elsewhere'), { recursive: true });
    expect(codeDigest(path.join(folder, 'elsewhere/main.mjs'))).toBe(before);
    await writeFile(at('c.mjs'), 'export const changed = 1;\n');
    expect(codeDigest(at('main.mjs'))).not.toBe(before);
  } finally {
    await rm(folder, { recursive: true });
  }
});
