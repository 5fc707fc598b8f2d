/**
 * `npm run verify`: what takes too long for every change. The gate first, by itself; then three steps at a time, because
 * the long ones mostly wait. Shows what each prints behind its name, and closes with a table and `N passed, N failed`.
 * `--short` runs the short form of each step that has one, without the gate, as `.ci/run` does beside it; `--only NAME`
 * one step. Speed is judged by `npm run bench`, which wants the machine for itself.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import pMap from 'p-map';
import { readArguments } from '../local/read-arguments.ts';

interface Step {
  name: string;
  /** an npm script, or a program of node_modules/.bin, with its arguments */
  command: Command;
  /** the same in a minute or two; without it the step is too long for every change */
  short?: Command;
  shows: string;
}
type Command = [string, ...string[]];

const gate: Step = { name: 'test', command: ['node', 'test/check.ts'], shows: 'the gate' };

/** test files of `long-tests.ts` that have no step of their own */
const slow = [
  'test/bench',
  'test/contract/full-disk.test.ts',
  ...['compute-trouble', 'dead-letters', 'functions-only', 'hostile', 'own-models'].map(
    (name) => `test/e2e/${name}.test.ts`,
  ),
  ...['queue-receiver', 'slow-keys'].map((name) => `test/local/functions-host/${name}.test.ts`),
  'test/network',
  'test/trainers/conformance',
];

/** the longest first, so that none of them is left to the end */
const steps: Step[] = [
  {
    name: 'torture',
    command: ['node', 'test/torture/main.ts', '--rounds', '20', '--platforms', '2'],
    short: ['vitest', 'run', 'test/torture'],
    shows: '20 rounds of deaths, full and stalled disks under load',
  },
  {
    name: 'faults',
    command: ['node', 'test/faults/main.ts', '--rounds', '6'],
    short: ['vitest', 'run', 'test/faults'],
    shows: 'every service silent, then 6 rounds of throttling, outages and broken connections',
  },
  {
    name: 'simulate',
    command: ['node', 'test/simulation/main.ts', '--seeds', '5000'],
    short: ['vitest', 'run', 'test/simulation/seeds.test.ts'],
    shows: '5,000 random simulations of the handlers',
  },
  {
    name: 'outages',
    command: ['node', 'test/simulation/main.ts', '--seeds', '500', '--outages'],
    shows: '500 simulations of an hour without a service, after which nobody repairs anything',
  },
  {
    name: 'storms',
    command: ['env', 'STORM=full', 'vitest', 'run', '--no-file-parallelism', 'test/storms'],
    short: ['vitest', 'run', 'test/storms'],
    shows: '10,000 uploads, 1,000 retrain requests and 50 versions in a burst',
  },
  {
    name: 'hostile',
    command: ['node', 'test/hostile/main.ts', '--requests', '5000', '--runs', '10000'],
    short: ['vitest', 'run', 'test/hostile'],
    shows: 'hostile input: a corpus, every parser, every route',
  },
  {
    name: 'slow',
    command: ['vitest', 'run', ...slow],
    short: ['vitest', 'run', ...slow],
    shows: 'whole platforms under trouble: compute, dead letters, full disks, hostile input over HTTP',
  },
  {
    name: 'cases',
    command: ['node', 'test/simulation/main.ts', '--cases', '--occurrences', '3'],
    short: ['vitest', 'run', 'test/simulation/cases.test.ts'],
    shows: 'every fault of every operation, up to three times',
  },
  {
    name: 'soak',
    command: ['node', 'test/soak/main.ts', '--minutes', '1'],
    shows: 'a minute of steady load: heap, errors',
  },
  {
    name: 'defects',
    command: ['node', 'test/simulation/defects/main.ts'],
    short: ['vitest', 'run', 'test/simulation/defects'],
    shows: 'deliberate defects, and after how many seeds each is noticed',
  },
  {
    name: 'demo',
    command: ['node', 'local/demo/main.ts'],
    short: ['node', 'local/demo/main.ts'],
    shows: 'the story on scanned digits, to its end',
  },
  {
    name: 'detector',
    command: ['node', 'local/demo/main.ts', 'detection'],
    short: ['node', 'local/demo/main.ts', 'detection', '--short'],
    shows: 'the story of a detector on scenes, to its end',
  },
  {
    name: 'readme',
    command: ['node', 'test/readme.ts'],
    short: ['node', 'test/readme.ts'],
    shows: "the README's example of the API, pasted whole",
  },
  {
    name: 'clients',
    command: ['node', 'test/clients/main.ts'],
    short: ['node', 'test/clients/main.ts'],
    shows: "Azure's SDKs for Python on the local services, where there is Python",
  },
  {
    name: 'trainers',
    command: ['node', 'test/trainers/conformance/main.ts', '--minutes'],
    short: ['node', 'test/trainers/conformance/main.ts', '--only', 'python'],
    shows: 'every trainer of this repository held to the job contract, case by case, as far as it can run here',
  },
  {
    name: 'examples',
    command: ['node', 'test/examples/main.ts'],
    short: ['node', 'test/examples/main.ts'],
    shows: 'the examples that come with an exported model, in Python, JavaScript and .NET where those are',
  },
  { name: 'images', command: ['node', 'test/demo-images.ts'], shows: 'the story on a folder of other pictures' },
  {
    name: 'previous',
    command: ['node', 'test/previous/main.ts'],
    shows: 'the previous release on the data of this one',
  },
  { name: 'package', command: ['node', 'test/package/main.ts'], shows: 'the package that is deployed' },
];
const atOnce = 3;
/** short forms mostly compute */
const shortAtOnce = 2;

interface Outcome extends Step {
  code: number;
  seconds: number;
}

/** Runs a step with its lines behind its name. */
async function run(step: Step): Promise<Outcome> {
  const { name, shows } = step;
  const [command, ...args] = step.command;
  const say = (line: string): void => console.log(`${name.padEnd(8)} | ${line}`);
  say(`begins: ${shows}`);
  const startedAt = performance.now();
  const code = await new Promise<number>((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const input of [child.stdout, child.stderr]) createInterface({ input }).on('line', say);
    child.on('error', (error) => {
      say(error.message);
      resolve(1);
    });
    child.on('close', (ended) => resolve(ended ?? 1));
    // what a step leaves behind may hold its output open; what it wrote itself is read by then
    child.on('exit', (ended) => setTimeout(() => resolve(ended ?? 1), 5000).unref());
  });
  const seconds = (performance.now() - startedAt) / 1000;
  say(`${code === 0 ? 'passed' : 'FAILED'} after ${seconds.toFixed(0)} s`);
  return { ...step, code, seconds };
}

const { values } = readArguments('npm run verify -- [--only STEP] [--short]', {
  options: { only: { type: 'string' }, short: { type: 'boolean', default: false } },
});
const short = steps.flatMap((step) => (step.short === undefined ? [] : [{ ...step, command: step.short }]));
const all = values.short ? short : [gate, ...steps];
const only = all.find(({ name }) => name === values.only);
if (values.only !== undefined && only === undefined) {
  console.error(
    `There is no step ${values.only}; steps are ${all.map(({ name }) => name).join(', ')}. Speed: npm run bench.`,
  );
  process.exit(2);
}

async function runAll(): Promise<Outcome[]> {
  if (only !== undefined) return [await run(only)];
  if (values.short) return pMap(short, run, { concurrency: shortAtOnce });
  return [await run(gate), ...(await pMap(steps, run, { concurrency: atOnce }))];
}

const startedAt = performance.now();
const outcomes = await runAll();
console.log('');
for (const { name, code, seconds, shows } of outcomes)
  console.log(`${code === 0 ? 'passed' : 'FAILED'}  ${name.padEnd(8)} ${seconds.toFixed(0).padStart(5)} s  ${shows}`);
console.log(`${((performance.now() - startedAt) / 60_000).toFixed(1)} minutes`);
const failed = outcomes.filter(({ code }) => code !== 0).length;
console.log(`${outcomes.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
