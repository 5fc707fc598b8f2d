/** The gate: format, lint, types, dead code and tests, in one command with one closing line. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as z from 'zod';
import { compilerChecks } from '../infra/compiler/checks.ts';
import { longTests } from './long-tests.ts';

if (!existsSync('node_modules/vitest')) {
  console.error('Packages that only developers need are missing: run npm ci, without --omit=dev, then npm test again.');
  process.exit(2);
}

const reportFile = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  numFailedTestSuites: z.number(),
});

/** Runs a command with its output passed through; resolves with its exit code and seconds. */
function run(command: string, args: string[]): Promise<{ code: number; seconds: number }> {
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
    child.on('error', reject);
    child.on('exit', (code) => resolve({ code: code ?? 1, seconds: (performance.now() - startedAt) / 1000 }));
  });
}

const checks: [string, string, ...string[]][] = [
  ['format', 'oxfmt', '--check'],
  ['lint', 'oxlint', '--type-aware', '--deny-warnings'],
  ['types', 'tsc'],
  ['dead code', 'knip'],
];

let passed = 0;
let failed = 0;
let skipped = 0;
for (const [name, command, ...args] of checks) {
  const { code, seconds } = await run(command, args);
  if (code === 0) passed++;
  else failed++;
  console.log(`${code === 0 ? 'passed' : 'FAILED'}  ${name} (${seconds.toFixed(1)} s)`);
}

const startedAt = performance.now();
let compiled = 0;
for await (const { name, passed: good, said } of compilerChecks()) {
  if (good === null) skipped++;
  else if (good) compiled++;
  else failed++;
  if (good === true) continue;
  console.log(`${good === null ? 'skipped:' : 'FAILED '} ${name}`);
  for (const line of said) console.log(`  ${line}`);
}
passed += compiled;
if (compiled > 0)
  console.log(`passed  ${compiled} checks by bicep (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`);

const folder = await mkdtemp(path.join(tmpdir(), 'darkroom-test-'));
const report = path.join(folder, 'report.json');
const tests = await run('vitest', [
  'run',
  // what `npm run verify` runs, in its short form too
  ...longTests.flatMap((files) => ['--exclude', files]),
  ...['--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
]);
try {
  const counted = reportFile.parse(JSON.parse(await readFile(report, 'utf8')));
  passed += counted.numPassedTests;
  // a file that cannot be loaded fails without a failed test in it
  failed += Math.max(counted.numFailedTests, counted.numFailedTestSuites > 0 ? 1 : 0, tests.code === 0 ? 0 : 1);
  skipped += counted.numPendingTests;
} catch {
  failed++;
  console.log('FAILED  tests: no report was written');
}
await rm(folder, { recursive: true, force: true });
console.log(`tests took ${tests.seconds.toFixed(1)} s`);
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failed === 0 ? 0 : 1;
