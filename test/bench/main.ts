/**
 * `npm run bench`: figures that can be compared, as ratios inside one run where a machine would decide.
 * `--only NAME` runs one bench, `--quick` a tenth of the work, `--json` prints one JSON document on stdout.
 * Exit code 1 when a goal is missed, 2 for wrong arguments.
 */
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import type { Bench, Figure } from './bench.ts';
import { importCost } from './import-cost.ts';
import { ingest } from './ingest.ts';
import { memory } from './memory.ts';
import { services } from './services.ts';
import { serving } from './serving.ts';
import { training } from './training.ts';
import { versions } from './versions.ts';

const benches: Record<string, Bench> = { services, import: importCost, versions, training, ingest, serving, memory };

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
  },
});
if (values.only !== undefined && benches[values.only] === undefined) {
  console.error(`There is no bench ${values.only}; benches are ${Object.keys(benches).join(', ')}.`);
  process.exit(2);
}

const out = values.json ? process.stderr : process.stdout;
const machine = {
  cpu: cpus()[0]?.model.trim() ?? 'unknown',
  cores: cpus().length,
  memoryGb: Math.round(totalmem() / 2 ** 30),
  node: process.version,
  platform: `${process.platform}-${process.arch}`,
};
const line = (text: string): void => void out.write(`${text}\n`);
const number = (value: number): string =>
  Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);

line(`${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, Node ${machine.node}, ${machine.platform}`);
const figures: Figure[] = [];
for (const [name, bench] of Object.entries(benches)) {
  if (values.only !== undefined && values.only !== name) continue;
  line(`\n${name}`);
  const found = await bench({ quick: values.quick, say: (text) => line(`  ${text}`) });
  for (const { name: what, value, unit, goal, holds } of found)
    line(
      `  ${what.padEnd(38)} ${number(value).padStart(10)} ${unit.padEnd(12)} ${goal === null ? '' : `${goal} ${holds ? 'holds' : 'MISSED'}`}`,
    );
  figures.push(...found);
}
if (values.json) process.stdout.write(`${JSON.stringify({ machine, benches: figures }, null, 2)}\n`);
const missed = figures.filter(({ holds }) => !holds);
line(missed.length === 0 ? '\nevery goal holds' : `\nmissed: ${missed.map(({ name }) => name).join(', ')}`);
process.exit(missed.length === 0 ? 0 : 1);
