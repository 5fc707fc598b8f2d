/**
 * `npm run verify`: what takes too long for every change. Runs one step after the other, shows what each prints, and
 * closes with a table and `N passed, N failed`. `--only NAME` runs one step.
 */
import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';

interface Step {
  name: string;
  /** an npm script, or a program of node_modules/.bin, with its arguments */
  command: [string, ...string[]];
  shows: string;
}

const steps: Step[] = [
  { name: 'test', command: ['node', 'test/check.ts'], shows: 'the gate' },
  { name: 'demo', command: ['node', 'local/demo/main.ts'], shows: 'the story on scanned digits, to its end' },
  { name: 'images', command: ['node', 'test/demo-images.ts'], shows: 'the story on a folder of other pictures' },
  {
    name: 'simulate',
    command: ['node', 'test/simulation/main.ts', '--seeds', '5000'],
    shows: '5,000 random simulations of the handlers',
  },
  {
    name: 'cases',
    command: ['node', 'test/simulation/main.ts', '--cases', '--occurrences', '3'],
    shows: 'every fault of every operation, up to three times',
  },
  {
    name: 'defects',
    command: ['node', 'test/simulation/defects/main.ts'],
    shows: 'deliberate defects, and after how many seeds each is noticed',
  },
  {
    name: 'torture',
    command: ['node', 'test/torture/main.ts', '--rounds', '20'],
    shows: '20 rounds of deaths, full and stalled disks under load',
  },
  {
    name: 'faults',
    command: ['node', 'test/faults/main.ts', '--rounds', '6'],
    shows: 'every service silent, then 6 rounds of throttling, outages and broken connections',
  },
  {
    name: 'hostile',
    command: ['node', 'test/hostile/main.ts', '--requests', '5000', '--runs', '10000'],
    shows: 'hostile input: a corpus, every parser, every route',
  },
  {
    name: 'storms',
    command: ['env', 'STORM=full', 'vitest', 'run', '--no-file-parallelism', 'test/storms'],
    shows: '10,000 uploads, 1,000 retrain requests and 50 versions in a burst',
  },
  {
    name: 'soak',
    command: ['node', 'test/soak/main.ts', '--minutes', '1'],
    shows: 'a minute of steady load: heap, errors',
  },
  { name: 'package', command: ['node', 'test/package/main.ts'], shows: 'the package that is deployed' },
  {
    name: 'previous',
    command: ['node', 'test/previous/main.ts'],
    shows: 'the previous release on the data of this one',
  },
  { name: 'bench', command: ['node', 'test/bench/main.ts'], shows: 'every goal of the bench' },
];

function run([command, ...args]: [string, ...string[]]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

const { values } = parseArgs({ options: { only: { type: 'string' } } });
if (values.only !== undefined && !steps.some(({ name }) => name === values.only)) {
  console.error(`There is no step ${values.only}; steps are ${steps.map(({ name }) => name).join(', ')}.`);
  process.exit(2);
}

const lines: string[] = [];
let failed = 0;
const chosen = steps.filter(({ name }) => values.only === undefined || name === values.only);
for (const [i, { name, command, shows }] of chosen.entries()) {
  console.log(`\n=== ${i + 1}/${chosen.length} ${name}: ${shows}\n`);
  const startedAt = performance.now();
  const code = await run(command);
  const seconds = (performance.now() - startedAt) / 1000;
  if (code !== 0) failed++;
  lines.push(`${code === 0 ? 'passed' : 'FAILED'}  ${name.padEnd(10)} ${seconds.toFixed(0).padStart(5)} s  ${shows}`);
}
console.log(`\n${lines.join('\n')}\n${chosen.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
