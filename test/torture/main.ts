/**
 * `npm run torture -- --rounds N [--seed S]`: real processes, real load, kill -9 at seeded moments; after each round
 * everything is started again, and what was acknowledged is looked for. The last line reads `N rounds, N violations`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { connect } from '../../shared/azure/connect.ts';
import { readConfig } from '../../shared/config.ts';
import { startParts } from './parts.ts';
import { runRound } from './round.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '12' },
    digits: { type: 'string', default: '120' },
  },
});
const [rounds, firstSeed, seconds, digits] = [values.rounds, values.seed, values.seconds, values.digits].map(Number);
if (![rounds, firstSeed, seconds, digits].every((n) => Number.isInteger(n) && (n ?? 0) > 0)) {
  console.error('usage: npm run torture -- --rounds N --seed N --seconds N --digits N (whole numbers above 0)');
  process.exit(2);
}

const folder = await mkdtemp(path.join(tmpdir(), 'darkroom-torture-'));
let found = 0;
const parts = await startParts(folder);
try {
  const ports = connect(readConfig(parts.settings));
  for (let i = 0; i < (rounds ?? 0); i++) {
    const seed = (firstSeed ?? 1) + i;
    const report = await runRound({
      ...{ parts, ports, folder, seed, say: (line: string) => console.log(`  ${line}`) },
      ...{ seconds: seconds ?? 12, digits: digits ?? 120 },
    });
    found += report.violations.length;
    const { answers, violations, restSeconds, ...counts } = report;
    console.log(
      `round ${i + 1}/${rounds}: ${JSON.stringify(counts)}, at rest after ${restSeconds.toFixed(1)} s, ` +
        `answers ${JSON.stringify(answers)}${violations.length === 0 ? '' : `, VIOLATIONS:\n    ${violations.join('\n    ')}`}`,
    );
  }
} finally {
  await parts.close();
}
if (found === 0) await rm(folder, { recursive: true, force: true });
else console.log(`Data and logs are kept in ${folder}; repeat with --seed of the round.`);
console.log(`${rounds} rounds, ${found} violations`);
process.exit(found === 0 ? 0 : 1);
