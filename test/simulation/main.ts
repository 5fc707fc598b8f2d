/**
 * `npm run simulate -- --seeds N [--from S]`: random simulations. `--seed N --trace`: one of them, told step by step.
 * The last line reads `N seeds, N violations`.
 */
import { parseArgs } from 'node:util';
import { shorten } from './story.ts';
import { simulateSeed } from './simulate.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    uploads: { type: 'string' },
    trace: { type: 'boolean', default: false },
  },
});
const uploads = values.uploads === undefined ? undefined : Number(values.uploads);
const [from, count] =
  values.seed === undefined ? [Number(values.from), Number(values.seeds)] : [Number(values.seed), 1];
if (!Number.isInteger(from) || !Number.isInteger(count) || count < 1) {
  console.error('usage: npm run simulate -- --seeds N --from N, or --seed N --trace (whole numbers)');
  process.exit(2);
}
let found = 0;
let operations = 0;
const kinds = new Map<string, number[]>();
const startedAt = performance.now();
for (let seed = from; seed < from + count; seed++) {
  const report = await simulateSeed(seed, { uploads, keepTrace: values.trace });
  operations += report.operations;
  if (values.trace) for (const line of shorten(report)) console.log(line);
  if (report.violations.length === 0) continue;
  found += report.violations.length;
  for (const violation of report.violations) {
    const kind = violation.replaceAll(/[0-9a-f]{6,}|\d+/g, '#');
    kinds.set(kind, [...(kinds.get(kind) ?? []), seed]);
  }
}
for (const [kind, seeds] of [...kinds].sort((a, b) => b[1].length - a[1].length))
  console.log(`${String(seeds.length).padStart(5)} x ${kind.slice(0, 260)}   seeds ${seeds.slice(0, 4).join(' ')}`);
const seconds = (performance.now() - startedAt) / 1000;
console.log(`${operations} operations in ${seconds.toFixed(1)} s`);
console.log(`${count} seeds, ${found} violations`);
