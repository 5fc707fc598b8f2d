/** The corpus of hostile input, through the real handlers: what becomes of each case. */
import { expect, test } from 'vitest';
import { report, type Result } from './case.ts';
import { runCorpus } from './corpus.ts';

test('every case of the corpus ends as it must', async () => {
  const results: Result[] = await runCorpus();
  console.log(report(results).join('\n'));
  expect(results.filter(({ outcome, expected }) => outcome !== expected)).toEqual([]);
}, 60_000);
