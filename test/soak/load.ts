/** What apps and operators do all day, each at its own steady pace, with the time that every answer took. */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../random.ts';
import { type File, type Ledger, once } from '../torture/load.ts';
import type { Parts } from '../torture/parts.ts';

export interface Timings {
  milliseconds: number[];
  /** what was not answered as it should be */
  errors: string[];
}

export interface Shift {
  parts: Parts;
  project: string;
  ledger: Ledger;
  random: Random;
  /** a new picture with every call */
  nextFile: () => Promise<File>;
  image: Buffer;
}

type Action = (shift: Shift) => Promise<string | undefined>;

const maxErrorsKept = 1000;

/** Undefined when the status is one of those that are right, else what came. */
const unless = (
  right: number[],
  what: string,
  got: { status: number; body: unknown } | undefined,
): string | undefined =>
  got !== undefined && right.includes(got.status)
    ? undefined
    : `${what}: ${got === undefined ? 'no answer' : `${got.status} ${JSON.stringify(got.body)}`}`.slice(0, 300);

async function upload({ parts, project, ledger, random, nextFile }: Shift): Promise<string | undefined> {
  const file = await nextFile();
  const files = [{ name: file.name, label: file.label, contentType: 'image/png' }];
  const asked = await once(parts, random, 'POST', `/projects/${project}/upload-urls`, { files });
  const wrong = unless([200], 'upload-urls', asked);
  const [given] = (asked?.body['value'] ?? []) as { blob: string; url: string; headers: Record<string, string> }[];
  if (wrong !== undefined || given === undefined) return wrong ?? 'upload-urls: no address';
  const put = await fetch(given.url, { method: 'PUT', headers: given.headers, body: new Uint8Array(file.bytes) });
  await put.arrayBuffer();
  if (put.status !== 201) return `PUT: ${put.status}`;
  ledger.uploaded.set(given.blob, file);
  return undefined;
}

async function score({ parts, project, ledger, random, image }: Shift): Promise<string | undefined> {
  const answer = await once(parts, random, 'POST', `/projects/${project}/score`, image, {
    'content-type': 'image/png',
  });
  if (answer?.status === 200) ledger.predictions.add(String(answer.body['predictionId']));
  return unless([200], 'score', answer);
}

const listings = [
  '',
  '/uploads?limit=50',
  '/versions',
  '/trainings',
  '/models',
  '/endpoint',
  '/events?limit=50',
  '/stuck',
];

async function list({ parts, project, random }: Shift): Promise<string | undefined> {
  const route = `/projects/${project}${random.pick(listings)}`;
  return unless([200], route, await once(parts, random, 'GET', route));
}

async function retrain({ parts, project, ledger, random }: Shift): Promise<string | undefined> {
  const seed = random.between(0, 1_000_000);
  const key = `soak-${seed}`;
  const headers = { 'idempotency-key': key };
  const answer = await once(parts, random, 'POST', `/projects/${project}/trainings`, { seed }, headers);
  if (answer?.status === 202)
    ledger.trainings.set(key, { id: String(answer.body['id']), decision: String(answer.body['decision']) });
  return unless([202], 'training', answer);
}

async function rollback({ parts, project, random }: Shift): Promise<string | undefined> {
  const seen = await once(parts, random, 'GET', `/projects/${project}/endpoint`);
  if (seen?.status !== 200) return unless([200], 'endpoint', seen);
  const route = `/projects/${project}/endpoint/rollback`;
  // 412: a new model went live in between
  return unless([200, 412], 'rollback', await once(parts, random, 'POST', route, {}, { 'if-match': seen.etag }));
}

/** pace of each action, in milliseconds from one to the next */
const pace: { name: string; everyMs: number; act: Action }[] = [
  { name: 'upload', everyMs: 500, act: upload },
  { name: 'score', everyMs: 150, act: score },
  { name: 'list', everyMs: 250, act: list },
  { name: 'retrain', everyMs: 20_000, act: retrain },
  { name: 'rollback', everyMs: 15_000, act: rollback },
];

/** Keeps the pace for so long; an action that takes longer than its pace is not overtaken by the next one of its kind. */
export async function work(shift: Shift, milliseconds: number): Promise<Map<string, Timings>> {
  const until = performance.now() + milliseconds;
  const timings = new Map(pace.map(({ name }) => [name, { milliseconds: [], errors: [] } as Timings]));
  const keep = async ({ name, everyMs, act }: (typeof pace)[number]): Promise<void> => {
    const own = timings.get(name);
    for (let next = performance.now() + everyMs; next < until; next = Math.max(next + everyMs, performance.now())) {
      await sleep(Math.max(0, next - performance.now()));
      const from = performance.now();
      const wrong = await act(shift).catch((error: unknown) => `${name}: ${String(error)}`);
      own?.milliseconds.push(performance.now() - from);
      if (wrong !== undefined && (own?.errors.length ?? 0) < maxErrorsKept) own?.errors.push(wrong);
    }
  };
  await Promise.all(pace.map(keep));
  return timings;
}
