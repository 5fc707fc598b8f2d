import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { defects, plant } from './defects.ts';
import { seek } from './seek.ts';

const sourceOf = (file: string): string =>
  readFileSync(fileURLToPath(new URL(`../../../${file}`, import.meta.url)), 'utf8');

describe('a deliberate defect', () => {
  test.each(defects)('fits its source exactly once: $name', (defect) => {
    const source = sourceOf(defect.file);
    expect(plant(defect, source)).not.toBe(source);
    expect(() => plant(defect, '')).toThrow('stands there 0 times');
    expect(() => plant(defect, source + source)).toThrow('stands there 2 times');
  });

  test.each(defects)('is noticed at its seed: $name', { timeout: 120_000 }, async (defect) => {
    const { seed, violation } = await seek(defect, defect.seed, 1);
    expect(seed, 'the plans of seeds have changed: node test/simulation/defects/main.ts finds another').toBe(
      defect.seed,
    );
    expect(violation).toMatch(/^I[1-7]: /);
  });
});
