/** One round: a project's whole life while every service fails now and then; then rest, and the invariants. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { FunctionsHost } from '../../local/functions-host/host.ts';
import { queueNames } from '../../shared/resources.ts';
import { createRandom, type Random } from '../random.ts';
import { all, census, violations } from '../torture/invariants.ts';
import { call, type File, type Front, type Ledger, newLedger, upload } from '../torture/load.ts';
import { digits } from './digits.ts';
import { faultKinds, type Rates } from './faults.ts';
import { type FaultyPlatform, type ServiceName, serviceNames } from './platform.ts';

export interface RoundReport {
  seed: number;
  uploads: number;
  models: number;
  deadLetters: number;
  /** by service and fault */
  struck: Record<string, number>;
  /** answers of the API to scores, by status */
  answers: Record<string, number>;
  /** seconds under faults, and from their end to rest */
  seconds: number;
  restSeconds: number;
  violations: string[];
}

export interface RoundOptions {
  platform: FaultyPlatform;
  host: Pick<FunctionsHost, 'port'>;
  key: string;
  seed: number;
  files: number;
  /** least seconds under faults */
  seconds: number;
}

export const restTimeoutMs = 180_000;
/** of one request; Azure's front end takes 230 s */
const requestLimitMs = 120_000;
/** times the least time under faults: no round waits longer for a live model */
const longest = 3;

/** Some faults are frequent in a round and others are away: a mix of everything hides what one alone shows. */
function drawRates(random: Random, service: ServiceName): Rates {
  // a message takes several frames, each of which may be struck
  const scale = service === 'messages' ? 0.25 : 1;
  const highest: Rates = {
    ...{ latency: 0.06, throttled: 0.04, unavailable: 0.03, 'reset-before': 0.03, 'reset-after': 0.03 },
    ...{ 'half-closed': 0.02, 'slow-body': 0.03, silent: 0.001 },
  };
  const drawn = faultKinds.map((kind) => [
    kind,
    random.next() < 0.25 ? 0 : random.next() * (highest[kind] ?? 0) * scale,
  ]);
  return Object.fromEntries(drawn) as Rates;
}

/** What still has to happen; empty when the project is at rest. */
export async function unfinished({ platform }: Pick<RoundOptions, 'platform'>, project: string): Promise<string[]> {
  const { documents } = platform.direct;
  const said: string[] = [];
  const received = await documents.count('uploads', { equals: { project, status: 'received' } });
  if (received > 0) said.push(`${received} uploads without outcome`);
  const staged = await documents.count('staged', { pk: project });
  if (staged > 0) said.push(`${staged} staged samples`);
  if ((await documents.read('heads', project, 'head'))?.document.unfinished)
    said.push('a version that is not finished');
  const scheduler = (await documents.read('schedulers', project, 'scheduler'))?.document;
  if (scheduler?.active || scheduler?.waiting) said.push('trainings');
  if (!(await documents.read('endpoints', project, 'endpoint'))?.document.production) said.push('no live model');
  const waiting = new Set((await platform.waiting()).map(({ queue }) => queue));
  if (waiting.size > 0) said.push(`messages in ${[...waiting].join(', ')}`);
  const letters = await documents.count('dead-letters', { equals: { status: 'waiting' } });
  if (letters > 0) said.push(`${letters} dead letters`);
  return said;
}

/** Waits until the project is at rest for three looks in a row, replaying dead letters as an operator would. */
async function rest(options: RoundOptions, front: Front, project: string, random: Random): Promise<string[]> {
  const until = Date.now() + restTimeoutMs;
  let said: string[] = [];
  for (let quiet = 0; quiet < 3; await sleep(500)) {
    said = await unfinished(options, project);
    quiet = said.length === 0 ? quiet + 1 : 0;
    if (Date.now() > until) return said.map((one) => `I7: not at rest after ${restTimeoutMs / 1000} s: ${one}`);
    if (!said.some((one) => one.endsWith('dead letters'))) continue;
    for (const queue of queueNames) await call(front, random, 'POST', `/dead-letters/${queue}/replay`, {});
  }
  return [];
}

/** Sends every dead letter again; nothing may change by it. */
async function replayAll(options: RoundOptions, front: Front, project: string, random: Random): Promise<string[]> {
  const { direct } = options.platform;
  const before = JSON.stringify(await census(direct, project));
  for (const { id, queue } of await all(direct, 'dead-letters', {}))
    await call(front, random, 'POST', `/dead-letters/${queue}/replay`, { id });
  const stuck = await rest(options, front, project, random);
  if (stuck.length > 0) return stuck;
  const after = JSON.stringify(await census(direct, project));
  return before === after ? [] : [`I7: replaying dead letters changed ${before} to ${after}`];
}

/** Uploads, trainings, scores, roll-backs: what people and apps do meanwhile. */
async function live(options: RoundOptions, front: Front, project: string, ledger: Ledger): Promise<void> {
  const { seed, files, seconds, platform } = options;
  const random = createRandom(seed * 31);
  const startedAt = Date.now();
  const chosen = await digits(random, files);
  const [image] = chosen;
  let next = 0;
  const uploader = async (): Promise<void> => {
    for (let file: File | undefined = chosen[next++]; file !== undefined; file = chosen[next++])
      await upload(front, random, ledger, project, file);
  };
  await Promise.all([uploader(), uploader(), uploader()]);
  const base = `/projects/${project}`;
  // the look of a window that meets a fault is repeated after a minute; whoever does not want to wait says so
  const outcomes = (): Promise<number> => platform.direct.documents.count('samples', { equals: { project } });
  for (let i = 0; i < files && (await outcomes()) < files * 0.8; i++) await sleep(200);
  await call(front, random, 'POST', `${base}/commits`, {});
  const asked = await call(
    front,
    random,
    'POST',
    `${base}/trainings`,
    { seed: 5 },
    { 'idempotency-key': `${project}-ask` },
  );
  if (asked.status === 202)
    ledger.trainings.set('ask', { id: String(asked.body['id']), decision: String(asked.body['decision']) });
  const isLive = async (): Promise<boolean> =>
    Boolean((await platform.direct.documents.read('endpoints', project, 'endpoint'))?.document.production);
  const count = (what: string): void => void ledger.answers.set(what, (ledger.answers.get(what) ?? 0) + 1);
  for (;;) {
    const passed = (Date.now() - startedAt) / 1000;
    if (passed > longest * seconds || (passed > seconds && (await isLive()))) break;
    const answer = await scoreOnce(front, project, image?.bytes ?? Buffer.alloc(0));
    count(`score ${answer?.status ?? 'without answer'}`);
    if (answer?.status === 200) ledger.predictions.add(answer.predictionId);
    if (answer?.status === 500) throw new Error(`a score was answered 500: ${answer.text}`);
    await sleep(random.between(100, 800));
  }
}

/** One try, as an app makes it; undefined: no answer. */
async function scoreOnce({ http: [host], key }: Front, project: string, image: Buffer) {
  try {
    const response = await fetch(`http://127.0.0.1:${host?.port}/api/v1/projects/${project}/score`, {
      method: 'POST',
      headers: { 'x-api-key': key, 'content-type': 'image/png' },
      body: new Uint8Array(image),
      signal: AbortSignal.timeout(requestLimitMs),
    });
    const text = await response.text();
    const body = JSON.parse(text) as { predictionId?: string };
    return { status: response.status, text, predictionId: body.predictionId ?? '' };
  } catch {
    return undefined;
  }
}

/** Runs a round in a project of its own and reports. */
export async function runRound(options: RoundOptions): Promise<RoundReport> {
  const { platform, host, key, seed } = options;
  const random = createRandom(seed);
  const project = `faults-${seed}`;
  const front: Front = { http: [host], key };
  const ledger = newLedger();
  await call(front, random, 'PUT', `/projects/${project}`, {
    trainer: { name: 'softmax', timeoutSeconds: 60 },
    gate: { minimum: 0, minimumRecall: 0, maxRegression: 1, baseline: 'noted' },
    retrain: { minNewSamples: 20, maxPerDay: 10_000 },
    commit: { quietSeconds: 1, maxWaitSeconds: 5 },
  });
  const before = counts(platform);
  for (const name of serviceNames) platform.faults[name].set(drawRates(random, name));
  const startedAt = performance.now();
  await live(options, front, project, ledger).finally(() => {
    for (const name of serviceNames) platform.faults[name].set({});
  });
  const restedFrom = performance.now();
  const stuck = await rest(options, front, project, random);
  const restSeconds = (performance.now() - restedFrom) / 1000;
  const found = [...stuck, ...(await violations(platform.direct, project, ledger))];
  const deadLetters = (await all(platform.direct, 'dead-letters', {})).length;
  if (stuck.length === 0) found.push(...(await replayAll(options, front, project, random)));
  const after = counts(platform);
  return {
    ...{ seed, deadLetters, restSeconds, violations: found, uploads: ledger.uploaded.size },
    models: (await all(platform.direct, 'models', { pk: project })).length,
    struck: Object.fromEntries(
      [...after].map(([name, n]) => [name, n - (before.get(name) ?? 0)]).filter(([, n]) => n !== 0),
    ),
    answers: Object.fromEntries(ledger.answers),
    seconds: (restedFrom - startedAt) / 1000,
  };
}

const counts = ({ faults }: FaultyPlatform): Map<string, number> =>
  new Map(serviceNames.flatMap((name) => [...faults[name].struck].map(([kind, n]) => [`${name} ${kind}`, n] as const)));
