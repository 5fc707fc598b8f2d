/**
 * `npm run torture -- --rounds N [--seed S] [--platforms P]`: real processes, real load, kill -9 at seeded moments; after
 * each round everything is started again, and what was acknowledged is looked for. Most of a round is waiting, so that P
 * platforms may share the rounds: the first takes seeds S, S + P, and so on. Azurite's own loss is measured apart, before
 * the last line, which reads `N rounds, N violations`.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect } from '../../shared/azure/connect.ts';
import { readConfig } from '../../shared/config.ts';
import { startParts } from './parts.ts';
import { azuriteLoss } from './azurite-loss.ts';
import { newLedger } from './load.ts';
import { prepare, runRound } from './round.ts';
import { readArguments } from '../../local/read-arguments.ts';

const { values } = readArguments(
  'npm run torture -- [--rounds N] [--seed N] [--platforms N] [--seconds N] [--digits N]',
  {
    options: {
      rounds: { type: 'string', default: '20' },
      seed: { type: 'string', default: '1' },
      platforms: { type: 'string', default: '1' },
      seconds: { type: 'string', default: '12' },
      digits: { type: 'string', default: '120' },
    },
  },
);
const wholeNumber = (text: string): number => (/^[1-9]\d{0,8}$/.test(text) ? Number(text) : Number.NaN);
const [rounds, firstSeed, seconds, digits] = [
  wholeNumber(values.rounds),
  wholeNumber(values.seed),
  wholeNumber(values.seconds),
  wholeNumber(values.digits),
];
const platforms = Math.min(wholeNumber(values.platforms), rounds);
if ([rounds, firstSeed, seconds, digits, platforms].some(Number.isNaN)) {
  console.error('usage: npm run torture -- --rounds N --seed N --platforms N --seconds N --digits N (all above 0)');
  process.exit(2);
}

/** written in a few seconds, about the time between two of its saves */
const lossBlobs = 1000;
const folder = await mkdtemp(path.join(tmpdir(), 'darkroom-torture-'));
let finished = 0;

/** Runs the rounds of one platform; `known` gets the violations, one that stays only once. */
async function torture(platform: number, known: Set<string>): Promise<void> {
  const own = path.join(folder, `platform-${platform}`);
  await mkdir(own);
  const parts = await startParts(own);
  try {
    const ports = connect(readConfig(parts.settings));
    const shared = { parts, ports, folder: own, project: 'torture', ledger: newLedger() };
    await prepare(shared);
    for (let seed = firstSeed + platform; seed < firstSeed + rounds; seed += platforms) {
      const report = await runRound({
        ...{ ...shared, seed, seconds, digits },
        say: (line: string) => console.log(`  ${line}`),
      });
      const { answers, restSeconds, ...counts } = report;
      const violations = counts.violations.filter((one) => !known.has(one));
      for (const one of violations) known.add(one);
      console.log(
        `round ${++finished}/${rounds}: ${JSON.stringify({ ...counts, violations: violations.length })}, at rest after ${restSeconds.toFixed(1)} s, ` +
          `answers ${JSON.stringify(answers)}${violations.length === 0 ? '' : `, VIOLATIONS:\n    ${violations.join('\n    ')}`}`,
      );
    }
  } finally {
    await parts.close();
  }
}

const violations = Array.from({ length: platforms }, () => new Set<string>());
const lives = violations.map((known, platform) =>
  // one that breaks off is a violation, and the others go on to their end
  torture(platform, known).catch((error: unknown) => {
    const said = `platform ${platform} broke off: ${error instanceof Error ? error.stack : String(error)}`;
    known.add(said);
    console.log(said);
  }),
);
await Promise.all(lives);
for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
  const { acknowledged, lost } = await azuriteLoss(folder, lossBlobs, signal);
  console.log(`Azurite alone, ended by ${signal}: ${lost} of ${acknowledged} acknowledged blobs lost`);
}
const found = violations.reduce((sum, { size }) => sum + size, 0);
if (found === 0) await rm(folder, { recursive: true, force: true });
else console.log(`Data and logs are kept in ${folder}; repeat with --seed of the round.`);
console.log(`${finished} rounds, ${found} violations`);
process.exit(found === 0 ? 0 : 1);
