/** Nothing outside of the task kinds speaks of what one of them answers. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '../../..');
const words = /\b(probability|probabilities|accuracy|softmax|confusion|box|boxes)\b/gi;

/** ONNX's own names of operators, which models of any kind may have. */
const operators = path.join('shared', 'onnx', 'operators.ts');

const sources = ['functions', 'shared'].flatMap((folder) =>
  readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => path.join(folder, name))
    .filter((name) => name.endsWith('.ts') && !name.startsWith(path.join('shared', 'task') + path.sep)),
);

test('functions and shared name no class probabilities, accuracy, softmax, confusion or boxes beside the task kinds', () => {
  const found = sources.flatMap((name) => {
    const all = readFileSync(path.join(root, name), 'utf8').match(words) ?? [];
    return all.filter((word) => name !== operators || word !== 'Softmax').map((word) => `${name}: ${word}`);
  });
  expect(sources.length).toBeGreaterThan(150);
  expect(found).toEqual([]);
});

test('nobody asks which kind it is, or imports of the folder of one', () => {
  const named = sources.filter((name) =>
    /'(classification|detection)'|task\/(classification|detection)\//.test(readFileSync(path.join(root, name), 'utf8')),
  );
  expect(named).toEqual([]);
});
