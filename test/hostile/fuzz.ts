/** Runs properties of parsers: many inputs each, with the slowest of them, and a watchdog that ends what hangs. */
import { Worker } from 'node:worker_threads';
import * as fc from 'fast-check';

/** One parser, what it is fed, and what must hold; throws when it does not. */
export interface Parser {
  name: string;
  run(options: { seed: number; runs: number }): Promise<Fuzzed>;
}

export interface Fuzzed {
  name: string;
  runs: number;
  slowestMs: number;
  /** the smallest input that was found to break it, and how */
  failure: string | undefined;
}

/** Damage in the parser counts as a hang after this long on one input. */
const limitMs = 5000;

/** Describes a parser; `share` of the runs that others get, for those that are slow by nature. */
export function parser<I>(
  name: string,
  inputs: fc.Arbitrary<I>,
  check: (input: I) => void | Promise<void>,
  share = 1,
): Parser {
  return {
    name,
    async run({ seed, runs }) {
      let slowestMs = 0;
      const property = fc.asyncProperty(inputs, async (input) => {
        const startedAt = performance.now();
        await check(input);
        const ms = performance.now() - startedAt;
        slowestMs = Math.max(slowestMs, ms);
        if (ms > limitMs) throw new Error(`took ${ms.toFixed(0)} ms`);
      });
      const numRuns = Math.max(20, Math.round(runs * share));
      const result = await fc.check(property, { seed, numRuns });
      const failure = result.failed ? fc.defaultReportMessage(result)?.slice(0, 3000) : undefined;
      return { name, runs: result.numRuns, slowestMs, failure };
    },
  };
}

const watch = `
const { workerData: { beat, limitMs } } = require('node:worker_threads');
const cells = new Int32Array(beat);
let last = -1;
setInterval(() => {
  const now = Atomics.load(cells, 0);
  if (now === last) {
    require('node:fs').writeSync(2, 'A parser has hung for ' + limitMs / 1000 + ' s: ' + Buffer.from(beat, 8).toString('utf8').replace(/\\0.*/s, '') + '\\n');
    process.kill(process.pid, 'SIGKILL');
  }
  last = now;
}, limitMs);`;

/** Ends this process when its event loop stands still for a minute, and says in which parser. Returns how to stop it. */
export function startWatchdog(): { name(parser: string): void; stop(): Promise<unknown> } {
  const beat = new SharedArrayBuffer(8 + 256);
  const cells = new Int32Array(beat, 0, 2);
  const worker = new Worker(watch, { eval: true, workerData: { beat, limitMs: 60_000 } });
  const timer = setInterval(() => Atomics.add(cells, 0, 1), 1000);
  return {
    name: (parser) => void Buffer.from(beat, 8).fill(0).write(parser.slice(0, 80)),
    stop: () => {
      clearInterval(timer);
      return worker.terminate();
    },
  };
}
