/** One round: load, trouble at seeded moments, everything started again, rest, and the invariants. */
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import { queueNames } from '../../shared/resources.ts';
import type { Ports } from '../../shared/ports.ts';
import { all, census, violations } from './invariants.ts';
import { act, call, type File, type Ledger, upload } from './load.ts';
import type { Parts } from './parts.ts';
import { waitingByQueue } from './queues.ts';
import { createRandom, type Random } from '../random.ts';
import { trouble } from './trouble.ts';

const mnist = createRequire(import.meta.url)('mnist') as Record<number, { get(index: number): number[] }>;

export interface RoundReport {
  seed: number;
  kills: Record<string, number>;
  uploads: number;
  answers: Record<string, number>;
  trainings: number;
  models: number;
  deadLetters: number;
  /** from the last restart until everything was at rest */
  restSeconds: number;
  violations: string[];
}

export interface ProjectUnderTest {
  parts: Parts;
  ports: Ports;
  /** of the data of the broker */
  folder: string;
  project: string;
  ledger: Ledger;
}

/** Rounds share a project and what it has acknowledged: what an earlier round left must survive the later ones. */
export interface RoundOptions extends ProjectUnderTest {
  seed: number;
  digits: number;
  /** least seconds of load and kills */
  seconds: number;
  say: (line: string) => void;
}

const restTimeoutMs = 240_000;

function digit(label: number, index: number): Promise<Buffer> {
  const grey = Buffer.from((mnist[label]?.get(index) ?? []).map((v) => Math.round(v * 255)));
  return sharp(grey, { raw: { width: 28, height: 28, channels: 1 } })
    .png()
    .toBuffer();
}

/** Digits, some of them twice, some under two labels, and some files that are no images. */
async function makeFiles(random: Random, count: number, prefix: string): Promise<File[]> {
  const start = random.between(0, 600);
  const files: File[] = [];
  for (let i = 0; i < count; i++) {
    const label = i % 10;
    const bytes = await digit(label, start + Math.floor(i / 10));
    files.push({ name: `${prefix}d${i}.png`, label: String(label), bytes, odd: false });
    if (random.next() < 0.05) files.push({ name: `${prefix}again${i}.png`, label: String(label), bytes, odd: false });
    if (random.next() < 0.05)
      files.push({ name: `${prefix}other${i}.png`, label: String((label + 1) % 10), bytes, odd: false });
    if (random.next() < 0.05)
      files.push({ name: `${prefix}odd${i}.png`, label: String(label), bytes: bytes.subarray(0, 90), odd: true });
  }
  return files;
}

/** Load from several people at once while things die. */
async function storm(options: RoundOptions, random: Random) {
  const { parts, project, ledger, digits, seconds, seed } = options;
  const kills: Record<string, number> = {};
  const files = await makeFiles(random, digits, `${seed}-`);
  const image = await digit(3, 700);
  const until = Date.now() + seconds * 1000;
  let next = 0;
  const uploaders = Array.from({ length: 4 }, async (_, i) => {
    const own = createRandom(seed * 31 + i);
    for (let file = files[next++]; file !== undefined; file = files[next++]) {
      await upload(parts, own, ledger, project, file);
      await sleep(own.between(0, Math.ceil((seconds * 1000 * 4) / files.length)));
    }
  });
  const people = Array.from({ length: 2 }, async (_, i) => {
    const own = createRandom(seed * 37 + i);
    while (Date.now() < until) {
      await act(parts, own, ledger, project, image, `${seed}-`);
      await sleep(own.between(50, 500));
    }
  });
  const killer = (async () => {
    const own = createRandom(seed * 41);
    const revived: Promise<unknown>[] = [];
    while (Date.now() < until) {
      await sleep(own.between(200, 1500));
      revived.push(trouble(parts, own, kills).catch((error: unknown) => error));
    }
    for (const error of await Promise.all(revived)) if (error instanceof Error) throw error;
  })();
  await Promise.all([...uploaders, ...people, killer]);
  return kills;
}

/** What still has to happen; empty when the project is at rest. */
async function unfinished({ ports, folder, project }: ProjectUnderTest): Promise<string[]> {
  const said: string[] = [];
  const uploads = await ports.documents.count('uploads', { equals: { project, status: 'received' } });
  if (uploads > 0) said.push(`${uploads} uploads without outcome`);
  const staged = await ports.documents.count('staged', { pk: project });
  if (staged > 0) said.push(`${staged} staged samples`);
  const head = await ports.documents.read('heads', project, 'head');
  if (head?.document.unfinished) said.push('a version that is not finished');
  const scheduler = (await ports.documents.read('schedulers', project, 'scheduler'))?.document;
  if (scheduler?.active || scheduler?.waiting) said.push('trainings');
  const endpoint = (await ports.documents.read('endpoints', project, 'endpoint'))?.document;
  if (!endpoint?.production) said.push('no live model');
  const messages = [...waitingByQueue(folder).values()].reduce((sum, one) => sum + one.messages, 0);
  if (messages > 0) said.push(`${messages} messages`);
  const letters = await ports.documents.count('dead-letters', { equals: { status: 'waiting' } });
  if (letters > 0) said.push(`${letters} dead letters`);
  return said;
}

async function replayAll(parts: Parts, random: Random): Promise<void> {
  for (const queue of queueNames) await call(parts, random, 'POST', `/dead-letters/${queue}/replay`, {});
}

/** Waits until the project is at rest for two looks in a row, replaying dead letters as an operator would. */
export async function rest(options: ProjectUnderTest, random: Random): Promise<string[]> {
  const until = Date.now() + restTimeoutMs;
  let quiet = 0;
  let said: string[] = [];
  while (quiet < 3) {
    said = await unfinished(options);
    quiet = said.length === 0 ? quiet + 1 : 0;
    if (Date.now() > until) return said.map((one) => `I7: not at rest after ${restTimeoutMs / 1000} s: ${one}`);
    if (said.some((one) => one.endsWith('dead letters'))) await replayAll(options.parts, random);
    await sleep(700);
  }
  return [];
}

/** Sends every dead letter again, twice; nothing may change by it. */
async function replayTwice(options: RoundOptions, random: Random): Promise<string[]> {
  const { ports, parts, project } = options;
  const before = JSON.stringify(await census(ports, project));
  for (let time = 0; time < 2; time++) {
    for (const { id, queue } of await all(ports, 'dead-letters', {}))
      await call(parts, random, 'POST', `/dead-letters/${queue}/replay`, { id });
    const stuck = await rest(options, random);
    if (stuck.length > 0) return stuck;
  }
  const after = JSON.stringify(await census(ports, project));
  return before === after ? [] : [`I7: replaying dead letters changed ${before} to ${after}`];
}

/** Makes the project, quietly: two models that were live, so that there is something to score with and to roll back to. */
export async function prepare({ parts, ports, project, ledger }: ProjectUnderTest): Promise<void> {
  const random = createRandom(1);
  const settings = {
    trainer: { name: 'softmax', timeoutSeconds: 60 },
    gate: { minimum: 0, minimumRecall: 0, maxRegression: 1, baseline: 'noted' },
    retrain: { minNewSamples: 20, maxPerDay: 10_000 },
    commit: { quietSeconds: 1, maxWaitSeconds: 5 },
  };
  await call(parts, random, 'PUT', `/projects/${project}`, settings);
  for (let i = 0; i < 60; i++) {
    const file = { name: `first${i}.png`, label: String(i % 10), bytes: await digit(i % 10, 900 + i), odd: false };
    await upload(parts, random, ledger, project, file);
  }
  const liveModels = async (count: number): Promise<void> => {
    const until = Date.now() + restTimeoutMs;
    for (;;) {
      const endpoint = (await ports.documents.read('endpoints', project, 'endpoint'))?.document;
      if ((endpoint?.production?.model ?? 0) >= count) return;
      if (Date.now() > until) throw new Error(`${count} models were not live after ${restTimeoutMs / 1000} s`);
      await sleep(200);
    }
  };
  await liveModels(1);
  await call(parts, random, 'POST', `/projects/${project}/trainings`, { seed: 77 });
  await liveModels(2);
}

/** Runs a round in a project that is prepared, and reports. */
export async function runRound(options: RoundOptions): Promise<RoundReport> {
  const { parts, ports, project, ledger, seed, say } = options;
  const random = createRandom(seed);
  ledger.answers.clear();
  const uploadedBefore = ledger.uploaded.size;
  const kills = await storm(options, random);
  for (const part of [parts.bus, parts.cosmos, parts.blob, parts.arm, ...parts.http, ...parts.queue])
    await part.restart();
  const uploads = ledger.uploaded.size - uploadedBefore;
  say(`seed ${seed}: ${uploads} uploads, kills ${JSON.stringify(kills)}; waiting for rest`);
  const restedFrom = performance.now();
  const stuck = await rest(options, random);
  const restSeconds = (performance.now() - restedFrom) / 1000;
  // trouble around a host is told as such (503, 502, no answer); 500 is a defect of ours
  const defects = [...ledger.answers].filter(([what]) => what.endsWith(' 500'));
  const found = [
    ...stuck,
    ...(await violations(ports, project, ledger)),
    ...defects.map(([what, times]) => `seed ${seed}: ${times} times ${what}`),
  ];
  const letters = (await all(ports, 'dead-letters', {})).filter((one) => one.project === project);
  if (stuck.length === 0) found.push(...(await replayTwice(options, random)));
  return {
    seed,
    kills,
    uploads,
    answers: Object.fromEntries(ledger.answers),
    trainings: (await all(ports, 'runs', { pk: project })).length,
    models: (await all(ports, 'models', { pk: project })).length,
    deadLetters: letters.length,
    restSeconds,
    violations: found,
  };
}
