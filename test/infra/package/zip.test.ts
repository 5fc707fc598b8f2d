import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { zip } from '../../../infra/package/zip.ts';
import { unzip } from './unzip.ts';

const files = fc.dictionary(
  fc.stringMatching(/^[a-zäß€]{1,8}(\/[a-z.]{1,8}){0,2}$/u),
  fc.uint8Array({ maxLength: 3000 }),
);
const read = (from: Record<string, Uint8Array>) => (name: string) => Promise.resolve(Buffer.from(from[name] ?? []));

test('what is packed comes out again, readable for everybody, whatever the order it was given in', async () => {
  await fc.assert(
    fc.asyncProperty(files, async (some) => {
      const names = Object.keys(some);
      const packed = await zip(names, read(some));
      expect(await zip([...names].reverse(), read(some))).toEqual(packed);
      const found = unzip(packed);
      expect(found.map(({ name }) => name)).toEqual([...names].sort());
      for (const { name, mode, body } of found) {
        expect(mode).toBe(0o100644);
        expect(body).toEqual(Buffer.from(some[name] ?? []));
      }
    }),
    { numRuns: 50 },
  );
});

const python = [
  '-c',
  'import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); print(z.testzip()); z.extractall(sys.argv[2])',
];

function hasPython(): boolean {
  try {
    execFileSync('python3', ['-c', '']);
    return true;
  } catch {
    return false;
  }
}

test.runIf(hasPython())('other programs read it', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'zip-'));
  const some = { 'a/ü.txt': Buffer.from('text'), 'b.bin': Buffer.alloc(100_000, 7), empty: Buffer.alloc(0) };
  writeFileSync(path.join(folder, 'some.zip'), await zip(Object.keys(some), read(some)));
  expect(execFileSync('python3', [...python, path.join(folder, 'some.zip'), folder], { encoding: 'utf8' })).toBe(
    'None\n',
  );
  for (const [name, body] of Object.entries(some)) expect(readFileSync(path.join(folder, name))).toEqual(body);
  rmSync(folder, { recursive: true });
});
