/**
 * `npm run simulate -- --seeds N [--from S]`: random simulations; the last line reads `N seeds, N violations`. With
 * `--outages` a service is away for an hour in each, and nobody repairs anything.
 * `--seed N [--trace]`: one of them, told step by step. `--cases [--occurrences N]`: every fault of every operation of
 * every handler once on purpose; `--case NAME`: one of those with its trace.
 */
import { parseArgs } from 'node:util';
import { caseName, findCases, parseCase, replayCase, type Tried, tryCase } from './enumerate.ts';
import { type Found, searchSeeds } from './search.ts';
import { type Report, simulateOutage, simulateSeed } from './simulate.ts';
import { shorten, summarize } from './story.ts';

const usage = `usage: npm run simulate -- --seeds N [--from N] [--uploads N] [--outages]
       npm run simulate -- --seed N [--trace] [--outages]
       npm run simulate -- --cases [--occurrences N]
       npm run simulate -- --case "SEED | HANDLER | OPERATION | FAULT | OCCURRENCE"`;
const progressEveryMs = 5000;
const shownFailures = 3;
const shownLines = 40;

function stop(problem: string): never {
  console.error(`${problem}\n${usage}`);
  process.exit(2);
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  return Number.isSafeInteger(value) && value >= 1
    ? value
    : stop(`--${name} takes a whole number from 1 on, not "${text}".`);
}

/** Tells how far a search is, every few seconds. */
function createProgress(total: number, what: string): (done: number, violations: number) => void {
  const startedAt = performance.now();
  let toldAt = startedAt;
  return (done, violations) => {
    if (performance.now() - toldAt < progressEveryMs) return;
    toldAt = performance.now();
    const seconds = ((toldAt - startedAt) / 1000).toFixed(0);
    console.error(`${done}/${total} ${what}, ${violations} violations, ${seconds} s`);
  };
}

/** A failure with what led to it, and the command that shows it again. */
function print(name: string, report: Report, command: string): void {
  console.log(`\n${name}: ${report.violations.join('; ')}`);
  for (const line of shorten(report, shownLines)) console.log(line);
  console.log(`again: npm run simulate -- ${command}`);
}

async function runSeeds(from: number, count: number, uploads: number | undefined, outages: boolean): Promise<number> {
  const progress = createProgress(count, 'seeds');
  let told = 0;
  const found: Found = await searchSeeds({ from, count, uploads, outages }, ({ seeds, violations }) => {
    progress(seeds, violations.length);
    for (const { seed, violation } of violations.slice(told)) console.error(`seed ${seed}: ${violation}`);
    told = violations.length;
    return true;
  });
  const bad = [...new Set(found.violations.map(({ seed }) => seed))];
  const again = `${uploads === undefined ? '' : ` --uploads ${uploads}`}${outages ? ' --outages' : ''}`;
  const simulate = outages ? simulateOutage : simulateSeed;
  for (const seed of bad.slice(0, shownFailures))
    print(`seed ${seed}`, await simulate(seed, { uploads, keepTrace: true }), `--seed ${seed} --trace${again}`);
  for (const line of summarize(found)) console.log(line);
  console.log(`${count} seeds, ${found.violations.length} violations`);
  return found.violations.length;
}

async function runCases(occurrences: number): Promise<number> {
  const cases = await findCases(occurrences);
  const progress = createProgress(cases.length, 'cases');
  const tried: Tried[] = [];
  let violations = 0;
  for (const one of cases) {
    const result = await tryCase(one);
    tried.push(result);
    violations += result.violations.length;
    progress(tried.length, violations);
  }
  const handlers = Map.groupBy(tried, ({ at }) => at.split(' | ')[0] ?? '');
  for (const [handler, some] of [...handlers].sort(([a], [b]) => a.localeCompare(b)))
    console.log(
      `${handler.padEnd(32)} ${String(new Set(some.map(({ at }) => at)).size).padStart(3)} operations, ${String(some.length).padStart(4)} faults, ${some.filter(({ reached }) => reached).length} struck`,
    );
  for (const one of tried.filter((t) => t.violations.length > 0).slice(0, shownFailures))
    print(caseName(one), await replayCase(one), `--case "${caseName(one)}"`);
  console.log(`${cases.length} cases, ${violations} violations`);
  return violations;
}

async function replay(report: Promise<Report>, everything: boolean): Promise<number> {
  const one = await report;
  if (everything) for (const line of shorten(one)) console.log(line);
  for (const violation of one.violations) console.log(violation);
  console.log(`${one.operations} operations, ${one.seconds.toFixed(0)} virtual seconds`);
  console.log(`1 seeds, ${one.violations.length} violations`);
  return one.violations.length;
}

function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '1000' },
      from: { type: 'string', default: '1' },
      seed: { type: 'string' },
      uploads: { type: 'string' },
      trace: { type: 'boolean', default: false },
      cases: { type: 'boolean', default: false },
      occurrences: { type: 'string', default: '1' },
      case: { type: 'string' },
      outages: { type: 'boolean', default: false },
    },
  });
  const uploads = values.uploads === undefined ? undefined : wholeNumber('uploads', values.uploads);
  if (values.case !== undefined)
    return replay(replayCase(parseCase(values.case) ?? stop(`"${values.case}" is no case.`)), true);
  if (values.cases) return runCases(wholeNumber('occurrences', values.occurrences));
  if (values.seed !== undefined) {
    const seed = wholeNumber('seed', values.seed);
    const simulate = values.outages ? simulateOutage : simulateSeed;
    return replay(simulate(seed, { uploads, keepTrace: values.trace }), values.trace);
  }
  const [from, seeds] = [wholeNumber('from', values.from), wholeNumber('seeds', values.seeds)];
  return runSeeds(from, seeds, uploads, values.outages);
}

try {
  process.exitCode = (await main()) === 0 ? 0 : 1;
} catch (error) {
  if (error instanceof TypeError && 'code' in error) stop(error.message);
  throw error;
}
