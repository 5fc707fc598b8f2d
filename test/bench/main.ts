/**
 * `npm run bench`: figures that can be compared, as ratios inside one run where a machine would decide.
 * `--only NAME` runs one bench, `--quick` a tenth of the work, `--json` prints one JSON document on stdout.
 * Exit code 1 when a goal is missed or a bench fails, 2 for wrong arguments.
 */
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { accuracy } from './accuracy.ts';
import type { Bench } from './bench.ts';
import { importCost } from './import-cost.ts';
import { ingest } from './ingest.ts';
import { memory } from './memory.ts';
import { photos } from './photos.ts';
import { runBenches, verdict } from './run.ts';
import { services } from './services.ts';
import { serving } from './serving.ts';
import { training } from './training.ts';
import { versions } from './versions.ts';

const benches: Record<string, Bench> = {
  services,
  import: importCost,
  versions,
  training,
  accuracy,
  ingest,
  serving,
  photos,
  memory,
};

function options(): { json: boolean; quick: boolean; chosen: Record<string, Bench> } {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
    },
  });
  const { json, quick, only } = values;
  if (only === undefined) return { json, quick, chosen: benches };
  const bench = Object.hasOwn(benches, only) ? benches[only] : undefined;
  if (bench === undefined) throw new Error(`There is no bench ${only}.`);
  return { json, quick, chosen: { [only]: bench } };
}

function optionsOrExit(): ReturnType<typeof options> {
  try {
    return options();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    console.error(
      `Usage: npm run bench -- [--only NAME] [--quick] [--json], with NAME one of ${Object.keys(benches).join(', ')}`,
    );
    process.exit(2);
  }
}

const { json, quick, chosen } = optionsOrExit();
const out = json ? process.stderr : process.stdout;
const say = (text: string): void => void out.write(`${text}\n`);
const machine = {
  cpu: cpus()[0]?.model.trim() ?? 'unknown',
  cores: cpus().length,
  memoryGb: Math.round(totalmem() / 2 ** 30),
  node: process.version,
  platform: `${process.platform}-${process.arch}`,
};

say(`${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, Node ${machine.node}, ${machine.platform}`);
const figures = await runBenches(chosen, { quick, say });
if (json) process.stdout.write(`${JSON.stringify({ machine, benches: figures }, null, 2)}\n`);
say(`\n${verdict(figures)}`);
process.exit(figures.every(({ holds }) => holds) ? 0 : 1);
