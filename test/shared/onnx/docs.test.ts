/** docs/models.md says what the code does. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { controlFlowOperators, allowedOperators, sizeInputs } from '../../../shared/onnx/operators.ts';
import { irVersions, opsets } from '../../../shared/onnx/validate.ts';
import { maxModelBytes } from '../../../shared/model/artifact.ts';

const page = readFileSync(path.resolve(import.meta.dirname, '../../../docs/models.md'), 'utf8');
const row = (name: string): string => new RegExp(`^\\| ${name} +\\| (.*?) +\\|$`, 'm').exec(page)?.[1] ?? '';

describe('the page on models', () => {
  test('lists the operators that are allowed', () => {
    const listed = /```text\n([\s\S]*?)\n```/.exec(page)?.[1]?.split(/\s+/);
    expect(listed).toEqual([...allowedOperators].sort());
    for (const operator of sizeInputs.keys()) expect(page).toMatch(new RegExp(`What says how large.*${operator}`));
    expect([...controlFlowOperators].filter((operator) => allowedOperators.has(operator))).toEqual([]);
  });

  test('states the limits', () => {
    expect(row('IR version')).toBe(`${irVersions.least} to ${irVersions.most}`);
    expect(row('opset')).toBe(`${opsets.least} to ${opsets.most}`);
    expect(row('size of the file')).toBe(`${maxModelBytes / 1024 / 1024} MB, weights included`);
  });

  test('names every code of a refusal', () => {
    const sources = ['validate', 'graph-check', 'tensor-check', 'protobuf'].map((name) =>
      readFileSync(path.resolve(import.meta.dirname, `../../../shared/onnx/${name}.ts`), 'utf8'),
    );
    const codes = sources.flatMap((text) => [...text.matchAll(/Refusal\(\s*'([a-z-]+)'/g)].map((match) => match[1]!));
    expect(codes.length).toBeGreaterThan(20);
    for (const code of new Set(codes)) expect(page).toContain(`\`${code}\``);
  });
});
