/** The trainers that npm alone can run keep the job contract, case by case; main.ts tries those that take minutes, and others. */
import { describe, expect, test } from 'vitest';
import { applies } from './case.ts';
import { cases } from './cases.ts';
import { npmSubjects } from './subjects.ts';

const caseMs = 240_000;

describe.each(Object.entries(npmSubjects))('the trainer %s', (_name, subject) => {
  const tried = cases.filter((one) => one.takes === undefined && applies(one, subject));
  test.concurrent.each(tried)('$name', { timeout: caseMs }, async ({ check }) => {
    expect(await check(subject)).toEqual([]);
  });
});
