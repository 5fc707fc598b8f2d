/** Every function that a file hands to others says in a sentence what it is for. */
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '..');
const folders = '{cli,client,functions,infra,local,shared,trainers}/**/*.ts';
/** `export function`, `export const f = (` and `export const f =` with the arrow on the next line */
const exported =
  /^export (?:async )?function\*? (\w+)|^export const (\w+)(?:: [^=]+)? =(?: (?:async )?(?:<.*>)?\(.*|$)/;

function undocumented(text: string): string[] {
  const lines = text.split('\n');
  return lines.flatMap((line, i) => {
    const name = exported.exec(line)?.slice(1).find(Boolean);
    const isValue = line.endsWith('=') && !lines[i + 1]?.includes('=>');
    return name === undefined || isValue || lines[i - 1]?.trimEnd().endsWith('*/') ? [] : [name];
  });
}

test('exported functions without a docstring are found', () => {
  const text = ['/** Adds. */', 'export const add = (a: number) => a;', 'export async function bare() {}', ''].join(
    '\n',
  );
  expect(undocumented(text)).toEqual(['bare']);
  expect(undocumented('export const last =\n  () => 1;')).toEqual(['last']);
});

test('every exported function has its docstring', () => {
  const files = globSync(folders, { cwd: root });
  expect(files.length).toBeGreaterThan(300);
  const bare = files.flatMap((file) =>
    undocumented(readFileSync(path.join(root, file), 'utf8')).map((name) => `${file}: ${name}`),
  );
  expect(bare).toEqual([]);
});
