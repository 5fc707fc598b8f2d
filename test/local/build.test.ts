import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { buildApp } from '../../local/build.ts';

const root = path.resolve(import.meta.dirname, '../..');
const sourceMap = z.object({ sources: z.array(z.string()) });

/** The files that a program reads before it begins: itself and what it imports, not what it imports when it is used. */
async function readAtStart(entry: string): Promise<{ file: string; text: string }[]> {
  const files = new Map<string, string>();
  const waiting = [entry];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (files.has(file)) continue;
    const text = await readFile(file, 'utf8');
    files.set(file, text);
    for (const [, name = ''] of text.matchAll(/(?:\bfrom|\bimport)\s*"(\.\/[^"]+)"/g))
      waiting.push(path.join(path.dirname(file), name));
  }
  return [...files].map(([file, text]) => ({ file, text }));
}

test('a start of the bundled app reads no SDK that its first request may not need', async () => {
  const { entry } = await buildApp();
  const files = await readAtStart(path.join(root, entry));
  const sources: string[] = [];
  for (const { file } of files)
    sources.push(...sourceMap.parse(JSON.parse(await readFile(`${file}.map`, 'utf8'))).sources);
  const packages = new Set(sources.flatMap((source) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(source)?.[1] ?? []));
  expect([...packages]).toContain('@azure/cosmos');
  for (const late of ['applicationinsights', '@azure/identity', '@azure/service-bus', '@azure/storage-blob'])
    expect([...packages]).not.toContain(late);
  const text = files.map((file) => file.text).join('\n');
  expect(text).toContain('"node:crypto"');
  expect(text).not.toMatch(/from\s*"onnxruntime-node"/);
});
