import type { app } from '@azure/functions';
import { describe, expect, test } from 'vitest';
import { type BackendPorts, addFunctions } from '../../functions/triggers.ts';
import { caseName, findCases, tryCase } from './enumerate.ts';

const timeout = 240_000;

/** What the story of the simulator has not: `test/shared/batch` and `test/e2e/own-models.test.ts` try these. */
const besideTheStory = new Set(['api-models-post', 'api-batches-post', 'api-batches-cancel']);

/** Functions that change something: each is to meet its faults. */
function changers(): string[] {
  const names: string[] = [];
  const target: Pick<typeof app, 'serviceBusQueue' | 'timer' | 'http'> = {
    serviceBusQueue: (name) => void names.push(name),
    timer: (name) => void names.push(name),
    http: (name, options) => {
      if ('methods' in options && options.methods?.[0] !== 'GET') names.push(name);
    },
  };
  // nothing is called: only the registrations are looked at
  addFunctions(target, {} as BackendPorts);
  return names;
}

describe('any one operation of any handler that is hit by any fault', () => {
  test('leaves every invariant as it was', { timeout }, async () => {
    const cases = await findCases(1);
    const met = new Set(cases.map(({ at }) => at.split(' | ')[0]));
    expect(changers().filter((name) => !met.has(name) && !besideTheStory.has(name))).toEqual([]);
    expect(cases.length).toBeGreaterThan(900);
    const wrong: string[] = [];
    for (const one of cases) {
      const { reached, violations } = await tryCase(one);
      const again = `npm run simulate -- --case "${caseName(one)}"`;
      if (!reached) wrong.push(`${again}: the fault never struck`);
      for (const violation of violations) wrong.push(`${again}: ${violation}`);
    }
    expect(wrong).toEqual([]);
  });
});
