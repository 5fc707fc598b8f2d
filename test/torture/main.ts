/**
 * `npm run torture -- --rounds N [--seed S]`: real processes, real load, kill -9 at seeded moments; after each round
 * everything is started again, and what was acknowledged is looked for. Azurite's own loss is measured apart, before the
 * last line, which reads `N rounds, N violations`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { connect } from '../../shared/azure/connect.ts';
import { readConfig } from '../../shared/config.ts';
import { startParts } from './parts.ts';
import { azuriteLoss } from './azurite-loss.ts';
import { newLedger } from './load.ts';
import { prepare, runRound } from './round.ts';

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

/** written in a few seconds, about the time between two of its saves */
const lossBlobs = 1000;
const folder = await mkdtemp(path.join(tmpdir(), 'darkroom-torture-'));
/** one violation that stays is told once */
const known = new Set<string>();
const parts = await startParts(folder);
try {
  const ports = connect(readConfig(parts.settings));
  const shared = { parts, ports, folder, project: 'torture', ledger: newLedger() };
  await prepare(shared);
  for (let i = 0; i < (rounds ?? 0); i++) {
    const seed = (firstSeed ?? 1) + i;
    const report = await runRound({
      ...{ ...shared, seed, say: (line: string) => console.log(`  ${line}`) },
      ...{ seconds: seconds ?? 12, digits: digits ?? 120 },
    });
    const { answers, restSeconds, ...counts } = report;
    const violations = counts.violations.filter((one) => !known.has(one));
    for (const one of violations) known.add(one);
    console.log(
      `round ${i + 1}/${rounds}: ${JSON.stringify({ ...counts, violations: violations.length })}, at rest after ${restSeconds.toFixed(1)} s, ` +
        `answers ${JSON.stringify(answers)}${violations.length === 0 ? '' : `, VIOLATIONS:\n    ${violations.join('\n    ')}`}`,
    );
  }
} finally {
  await parts.close();
}
for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
  const { acknowledged, lost } = await azuriteLoss(folder, lossBlobs, signal);
  console.log(`Azurite alone, ended by ${signal}: ${lost} of ${acknowledged} acknowledged blobs lost`);
}
const found = known.size;
if (found === 0) await rm(folder, { recursive: true, force: true });
else console.log(`Data and logs are kept in ${folder}; repeat with --seed of the round.`);
console.log(`${rounds} rounds, ${found} violations`);
process.exit(found === 0 ? 0 : 1);
