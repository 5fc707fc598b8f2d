/**
 * `npm run hostile`: the corpus of hostile input, the memory that large pictures take, damage to every parser, and requests that mean harm to every route.
 * `--seed N` repeats a run, `--requests N` and `--runs N` (per parser) say how many, `--only N` sends one request and
 * shows it with its answer. Ends with the number of violations.
 */
import { table } from '../../local/demo/table.ts';
import { readOperations } from '../e2e/contract.ts';
import { attack, describe } from './attack.ts';
import { bodies } from './bodies.ts';
import { report, type Result } from './case.ts';
import { runCorpus } from './corpus.ts';
import { startWatchdog } from './fuzz.ts';
import { sendBody } from './handlers.ts';
import { measurePeaks, mostBytes } from './memory.ts';
import { parsers } from './parsers.ts';
import { startTarget, type Target } from './platform.ts';
import { encode, exchange } from './raw.ts';
import { type Context, hostileRequest } from './requests.ts';
import { readArguments } from '../../local/read-arguments.ts';

/** violations that are shown; what is wrong everywhere need not be told for ever */
const maxShown = 20;
const maxGrowthBytes = 400 * 1024 * 1024;

const { values } = readArguments('npm run hostile -- [--seed N] [--requests N] [--runs N] [--only N]', {
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    requests: { type: 'string', default: '5000' },
    runs: { type: 'string', default: '10000' },
    only: { type: 'string' },
  },
});
const [seed, requests, runs] = [values.seed, values.requests, values.runs].map(Number) as [number, number, number];
if (![seed, requests, runs].every((n) => Number.isSafeInteger(n) && n >= 0)) {
  console.error('--seed, --requests and --runs are whole numbers.');
  process.exit(2);
}

type Aim = Context & { origin: string };

async function aimAt({ origin, params, picture, keyOf }: Target): Promise<Aim> {
  const operations = await readOperations(origin, keyOf('viewer'));
  return { operations, params, picture, origin, host: new URL(origin).host, key: keyOf('operator') };
}

/** Shows one request of the seed and what it is answered. */
async function showOne(aim: Aim, n: number): Promise<void> {
  const { operation, wrong, raw, leaves } = hostileRequest(seed, n, aim);
  console.log(
    `${operation.operationId} with ${wrong.join(', ')}\n\n${encode(raw).toString('latin1').slice(0, 4000)}\n`,
  );
  const answer = await exchange(aim.origin, encode(raw), 90_000, leaves);
  if (answer === 'closed') console.log('The connection was closed without an answer.');
  else
    console.log(
      `${answer.status}\n${[...answer.headers].map((h) => h.join(': ')).join('\n')}\n\n${answer.body.toString('latin1').slice(0, 4000)}`,
    );
}

async function tryCorpus(aim: Aim): Promise<{ cases: number; violations: number }> {
  const results: Result[] = await runCorpus();
  for (const { name, input, expected } of bodies)
    results.push({ kind: 'JSON body', name, expected, outcome: await sendBody(aim, input) });
  console.log(report(results).join('\n'));
  return { cases: results.length, violations: results.filter((r) => r.outcome !== r.expected).length };
}

async function tryParsers(): Promise<{ inputs: number; violations: number }> {
  const watchdog = startWatchdog();
  const done = [];
  for (const parser of await parsers()) {
    watchdog.name(parser.name);
    const startedAt = performance.now();
    const fuzzed = await parser.run({ seed, runs });
    done.push(fuzzed);
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    console.log(
      `${fuzzed.failure === undefined ? 'passed' : 'FAILED'}  ${parser.name}: ${fuzzed.runs} inputs in ${seconds} s`,
    );
    if (fuzzed.failure !== undefined) console.log(fuzzed.failure);
  }
  await watchdog.stop();
  const rows = done.map(({ name, runs: n, slowestMs }) => [name, n, Number(slowestMs.toFixed(1))]);
  console.log(`\n${table(['parser', 'inputs', 'slowest ms'], rows).join('\n')}`);
  const inputs = done.reduce((sum, { runs: n }) => sum + n, 0);
  return { inputs, violations: done.filter(({ failure }) => failure !== undefined).length };
}

/** Linux alone tells what a process had at its peak. */
async function tryMemory(): Promise<{ pictures: number; violations: number }> {
  if (process.platform !== 'linux') {
    console.log('Not measured: only Linux tells the peak of a process.');
    return { pictures: 0, violations: 0 };
  }
  const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
  const peaks = await measurePeaks(({ name, fileBytes, as, outcome, peakBytes }) =>
    console.log(
      `${name}, a file of ${megabytes(fileBytes)}, as a ${as}: ${outcome}, ${megabytes(peakBytes)} above idle`,
    ),
  );
  const wrong = peaks.filter((p) => p.outcome !== p.expected || p.peakBytes > mostBytes);
  for (const { name, as, expected } of wrong)
    console.log(`violation: ${name} as a ${as}: must be ${expected} and take at most ${megabytes(mostBytes)}`);
  return { pictures: peaks.length, violations: wrong.length };
}

async function tryRoutes(target: Target, aim: Aim): Promise<number> {
  const pid = target.platform.functions?.workerPid();
  const before = await target.residentBytes();
  const onDone = (done: number): void => {
    if (done % 1000 === 0) console.log(`${done} of ${requests} requests`);
  };
  const { answers, slowest, violations } = await attack(aim, { seed, from: 0, to: requests, onDone });
  for (const violation of violations.slice(0, maxShown)) console.log(describe(violation, seed));
  const grownBytes = (await target.residentBytes()) - before;
  const problems: string[] = [];
  if (grownBytes > maxGrowthBytes) problems.push(`the process grew by ${Math.round(grownBytes / 1e6)} MB`);
  if (target.platform.functions?.workerPid() !== pid) problems.push('the process ended and was replaced');
  await target.drained().catch((error: Error) => problems.push(error.message));
  for (const problem of problems) console.log(`violation: ${problem}`);
  const rows = [...answers].sort(([a], [b]) => a.localeCompare(b)).map(([status, n]) => [status, n]);
  console.log(`\n${table(['answer', 'requests'], rows).join('\n')}`);
  const { operation, wrong } = hostileRequest(seed, Math.max(0, slowest.n), aim);
  console.log(
    `slowest: ${slowest.ms.toFixed(0)} ms, ${operation.operationId} with ${wrong.join(', ')} (request ${slowest.n})`,
  );
  console.log(
    `the functions process: ${Math.round(before / 1e6)} MB before, ${Math.round((before + grownBytes) / 1e6)} MB after`,
  );
  return violations.length + problems.length;
}

console.log(`seed ${seed}`);
const target = await startTarget();
try {
  const aim = await aimAt(target);
  if (values.only !== undefined) await showOne(aim, Number(values.only));
  else {
    console.log('\nThe corpus\n');
    const corpus = await tryCorpus(aim);
    console.log('\nMemory of pictures\n');
    const memory = await tryMemory();
    console.log('\nEvery parser\n');
    const fuzzed = await tryParsers();
    console.log('\nEvery route\n');
    const routes = requests === 0 ? 0 : await tryRoutes(target, aim);
    const violations = corpus.violations + memory.violations + fuzzed.violations + routes;
    console.log(
      `\n${corpus.cases} cases, ${fuzzed.inputs} parser inputs, ${requests} requests, ${violations} violations`,
    );
    process.exitCode = violations === 0 ? 0 : 1;
  }
} finally {
  await target.close();
}
