/** The trainers that npm alone can run keep the job contract, case by case; main.ts tries those that take minutes, and others. */
import { describe, expect, test } from 'vitest';
import { applies } from './case.ts';
import { cases } from './cases.ts';
import { npmSubjects } from './subjects.ts';

const caseMs = 240_000;
/** what a detector does in code of its own: reading, training and what comes of it */
const ofDetectors = ['a whole job', 'preempted while it trains, and resumed', 'a picture that is none'];

describe.each(Object.entries(npmSubjects))('the trainer %s', (_name, subject) => {
  const tried = cases.filter((one) =>
    subject.task === 'detection' ? ofDetectors.includes(one.name) : one.takes === undefined && applies(one, subject),
  );
  test.concurrent.each(tried)('$name', { timeout: caseMs }, async ({ check }) => {
    expect(await check(subject)).toEqual([]);
  });
});
