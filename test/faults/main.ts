/**
 * `npm run faults -- --rounds N [--seed S]`: the platform behind proxies that break its connections. First every service
 * falls silent, and every call has to end; then each that handlers need is away for long while a project is at work, with
 * nobody to repair; then whole lives of projects under faults of every kind. The last line reads `N rounds, N violations`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { hourOfPolicy, runOutage } from './outage.ts';
import { startFaultyPlatform } from './platform.ts';
import { runRound } from './round.ts';
import { silence } from './silence.ts';
import { readArguments } from '../../local/read-arguments.ts';

const { values } = readArguments('npm run faults -- [--rounds N] [--seed N] [--seconds N] [--files N]', {
  options: {
    rounds: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '20' },
    files: { type: 'string', default: '80' },
  },
});
const [rounds = 0, firstSeed = 0, seconds = 0, files = 0] = [
  values.rounds,
  values.seed,
  values.seconds,
  values.files,
].map(Number);
if (![rounds, firstSeed, seconds, files].every((n) => Number.isInteger(n) && n > 0)) {
  console.error('usage: npm run faults -- --rounds N --seed N --seconds N --files N (whole numbers above 0)');
  process.exit(2);
}

const folder = await mkdtemp(path.join(tmpdir(), 'darkroom-faults-'));
const platform = await startFaultyPlatform(folder, firstSeed);
let found = 0;
try {
  const host = await platform.startHost();
  try {
    const key = await platform.createKey();
    for (const line of await silence(platform, host.port, key)) {
      console.log(line.text);
      if (!line.good) found++;
    }
    for (const service of ['documents', 'blobs', 'compute'] as const) {
      const { violations, ...told } = await runOutage({
        platform,
        host,
        key,
        service,
        files: 40,
        seconds: hourOfPolicy,
      });
      found += violations.length;
      console.log(`outage: ${JSON.stringify(told)}`);
      for (const one of violations) console.log(`    VIOLATION ${one}`);
    }
    for (let i = 0; i < rounds; i++) {
      const report = await runRound({ platform, host, key, seed: firstSeed + i, files, seconds });
      found += report.violations.length;
      const { struck, answers, violations, ...told } = report;
      const faults = Object.values(struck).reduce((sum, n) => sum + n, 0);
      console.log(
        `round ${i + 1}/${rounds}: ${JSON.stringify({ ...told, faults, answers })}` +
          (violations.length === 0 ? '' : `, VIOLATIONS:\n    ${violations.join('\n    ')}`),
      );
      console.log(`  ${JSON.stringify(struck)}`);
    }
  } finally {
    await host.close();
  }
} finally {
  await platform.close();
}
if (found === 0) await rm(folder, { recursive: true, force: true });
else console.log(`Data is kept in ${folder}; repeat with --seed of the round.`);
console.log(`${rounds} rounds, ${found} violations`);
process.exit(found === 0 ? 0 : 1);
