/**
 * `npm run soak -- --minutes N`: the platform as separate processes under a steady mixed load. Prints progress, then
 * requests, latencies, memory of our processes before and after, how long messages waited, and checks the invariants.
 * The last line says whether it passed: no error, no violation, and a heap that has not grown by more than 10 %.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { connect } from '../../shared/azure/connect.ts';
import { readConfig } from '../../shared/config.ts';
import { createRandom } from '../random.ts';
import { violations } from '../torture/invariants.ts';
import { type File, newLedger } from '../torture/load.ts';
import { type Parts, startParts } from '../torture/parts.ts';
import { waitingByQueue } from '../torture/queues.ts';
import { prepare, rest } from '../torture/round.ts';
import { work } from './load.ts';
import { memoryOf } from './memory.ts';
import { heapBytesOf, latencyTable, maxGrowth, megabytes, memoryTable, queueTable } from './report.ts';
import { readArguments } from '../../local/read-arguments.ts';

const mnist = createRequire(import.meta.url)('mnist') as Record<number, { get(index: number): number[] }>;
const sampleEveryMs = 1000;
const progressEveryMs = 20_000;
const warmUpMs = 60_000;
const digitsPerLabel = 900;

const { values } = readArguments('npm run soak -- [--minutes N]', {
  options: { minutes: { type: 'string', default: '10' } },
});
const minutes = Number(values.minutes);
if (!(minutes > 0 && minutes <= 24 * 60)) {
  console.error('usage: npm run soak -- --minutes N (above 0, at most 1440)');
  process.exit(2);
}

/** A scanned digit, no two alike: its number is written into its first pixels. */
async function file(n: number): Promise<File> {
  const label = n % 10;
  const grey = Buffer.from((mnist[label]?.get(((n / 10) % digitsPerLabel) | 0) ?? []).map((v) => Math.round(v * 255)));
  grey.writeUInt32BE(n, 0);
  const bytes = await sharp(grey, { raw: { width: 28, height: 28, channels: 1 } })
    .png()
    .toBuffer();
  return { name: `soak${n}.png`, label: String(label), bytes, odd: false };
}

/** Looks at the queues all the time; keeps the longest wait of each. */
function watchQueues(folder: string) {
  const longest = new Map<string, number>();
  const timer = setInterval(() => {
    for (const [queue, { oldestSeconds }] of waitingByQueue(folder))
      longest.set(queue, Math.max(longest.get(queue) ?? 0, oldestSeconds));
  }, sampleEveryMs);
  return { longest, stop: () => clearInterval(timer) };
}

async function soak(parts: Parts, folder: string): Promise<boolean> {
  const ports = connect(readConfig(parts.settings));
  const ledger = newLedger();
  const round = { parts, ports, folder, project: 'soak', ledger };
  await prepare(round);
  let made = 0;
  const random = createRandom(1);
  const nextFile = (): Promise<File> => file(made++);
  const shift = { parts, project: 'soak', ledger, random, nextFile, image: (await file(9_999_999)).bytes };

  const warmUp = Math.min(warmUpMs, minutes * 60_000);
  console.log(`two models are live; warming up for ${(warmUp / 1000).toFixed(0)} s`);
  await work(shift, warmUp);
  await rest(round, random);
  const before = await memoryOf(parts);
  console.log(
    `heap after collection: ${megabytes(heapBytesOf(before))} MB in ${before.length} processes; ${minutes} min of steady load begin`,
  );

  const queues = watchQueues(folder);
  const startedAt = performance.now();
  const progress = setInterval(() => {
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
    const waiting = [...waitingByQueue(folder).values()].reduce((n, { messages }) => n + messages, 0);
    console.log(
      `[${seconds.padStart(4)} s] ${ledger.uploaded.size} uploads, ${ledger.predictions.size} scores, ${waiting} messages wait`,
    );
  }, progressEveryMs);
  const timings = await work(shift, minutes * 60_000);
  clearInterval(progress);
  queues.stop();

  const stuck = await rest(round, random);
  const after = await memoryOf(parts);
  const found = [...stuck, ...(await violations(ports, 'soak', ledger))];
  const errors = [...timings.values()].flatMap((t) => t.errors);
  const requests = [...timings.values()].reduce((n, t) => n + t.milliseconds.length, 0);
  const growth = heapBytesOf(after) / heapBytesOf(before) - 1;
  console.log(`\n${latencyTable(timings)}\n\n${memoryTable(before, after)}\n\n${queueTable(queues.longest)}\n`);
  for (const one of [...new Set(errors)].slice(0, 20)) console.log(`ERROR ${one}`);
  for (const one of found) console.log(`VIOLATION ${one}`);
  const passed = errors.length === 0 && found.length === 0 && growth <= maxGrowth;
  console.log(
    `soak ${passed ? 'passed' : 'FAILED'}: ${minutes} min, ${requests} requests, ${errors.length} errors, heap ${growth < 0 ? '' : '+'}${(growth * 100).toFixed(1)} %, ${found.length} violations`,
  );
  return passed;
}

const folder = await mkdtemp(path.join(tmpdir(), 'darkroom-soak-'));
const parts = await startParts(folder);
let passed = false;
try {
  passed = await soak(parts, folder);
} finally {
  await parts.close();
  if (passed) await rm(folder, { recursive: true, force: true });
  else console.error(`Data and logs are kept in ${folder}.`);
}
process.exit(passed ? 0 : 1);
