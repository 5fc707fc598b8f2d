/** Every parser, fed with damage: it answers as it is declared to, in time, or says what is wrong. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startWatchdog } from './fuzz.ts';
import { parsers } from './parsers.ts';

const all = await parsers();
let watchdog: ReturnType<typeof startWatchdog>;
beforeAll(() => void (watchdog = startWatchdog()));
afterAll(() => watchdog.stop());

test.each(all)('$name', async (parser) => {
  watchdog.name(parser.name);
  expect((await parser.run({ seed: 1, runs: 300 })).failure).toBeUndefined();
});
