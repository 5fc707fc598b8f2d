/** The whole path in one go, on real scanned digits: uploads, a version, a training, a model behind the endpoint, scores. */
import { randomBytes, randomInt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import * as z from 'zod';
import { type Client, getAll, Refused } from '../local/demo/client.ts';
import { digitPng } from '../local/demo/digits.ts';
import type { Narrator } from '../local/demo/narrator.ts';
import type { Picture } from '../local/demo/pictures.ts';
import { score } from '../local/demo/score.ts';
import { outcomeOf, upload } from '../local/demo/upload.ts';
import { waitFor } from '../local/demo/wait.ts';
import { sampleView } from '../shared/api/views/dataset.ts';
import { endpointView } from '../shared/api/views/endpoint.ts';
import { modelView } from '../shared/api/views/model.ts';
import { page } from '../shared/api/views/page.ts';
import { projectStatusView, projectView } from '../shared/api/views/project.ts';
import { trainingSummaryView, trainingView } from '../shared/api/views/training.ts';
import type { ProjectSettingsInput } from '../shared/project/settings.ts';

export interface SmokeOptions {
  /** the project it works in; made when missing, used again by the next smoke test */
  project: string;
  /** how long to wait for a model, training machines included */
  trainingLimitSeconds: number;
}

type Training = z.infer<typeof trainingSummaryView>;

/** fewer make a model that is right half of the time, and a smoke test that fails by chance */
const perDigit = 40;
const scored = 20;
/** of 20; guessing gets two right */
const leastRight = 8;
/**
 * An app that has scaled to zero was seen to take two minutes to begin with the first message of a queue, and there are
 * several queues between an upload and a model (Azure-Functions #2581).
 */
export const wakingLimitSeconds = 600;
const pollMs = 1000;
const openStates = ['queued', 'submitted', 'running', 'evaluating'];

/** A trainer of two seconds, and a gate that asks whether anything was learned, not whether it is better than yesterday's. */
const settings: ProjectSettingsInput = {
  trainer: { name: 'softmax' },
  gate: { minimum: 0.4, minimumRecall: 0, maxRegression: 1 },
  retrain: { onVersion: true, minNewSamples: 10, cooldownSeconds: 0, maxPerDay: 1000 },
  commit: { quietSeconds: 3, maxWaitSeconds: 30 },
};

const readyView = z.looseObject({
  status: z.string(),
  dependencies: z.record(z.string(), z.looseObject({ ok: z.boolean(), detail: z.string().nullable() })),
});

/** Azure answers at the address of any app that exists, asleep or not: nothing is there to wait for. */
const nobodyThere = new Set(['ENOTFOUND', 'ECONNREFUSED']);
function isNobodyThere(error: unknown): boolean {
  for (let one = error; one instanceof Error; one = one.cause)
    if (nobodyThere.has(String((one as NodeJS.ErrnoException).code))) return true;
  return false;
}

/** Waits for an answer from a health route; rejects at once when the key is refused, or nobody is at the address. */
async function healthy<T>(client: Client, path: string, shape: z.ZodType<T>): Promise<void> {
  const wait = { expected: `success from ${path}`, limitSeconds: wakingLimitSeconds, everyMs: 3000 };
  await waitFor(wait, async () => {
    try {
      return { found: await client.get(path, shape) };
    } catch (error) {
      if (error instanceof Refused && (error.status === 401 || error.status === 403)) throw error;
      if (isNobodyThere(error)) throw error;
      return { seen: error instanceof Error ? error.message : String(error) };
    }
  });
}

/** Rejects when no backend answers at the address, or it does not take the key. Roles of a new identity take a minute to arrive everywhere. */
export async function untilReady(client: Client): Promise<void> {
  await healthy(client, '/health/live', z.unknown());
  await healthy(client, '/health/ready', readyView);
}

async function projectFor(client: Client, project: string): Promise<void> {
  try {
    const { etag } = await client.get(`/projects/${project}`, projectStatusView);
    await client.send('PUT', `/projects/${project}`, settings, projectView, { 'if-match': etag });
  } catch (error) {
    if (!(error instanceof Refused) || error.status !== 404) throw error;
    await client.send('PUT', `/projects/${project}`, settings, projectView);
  }
}

const digitFile = z.object({ data: z.array(z.number()) });
const pixels = 28 * 28;

/** Scans that nobody uploaded before: a few faint dots in the margin make other files of them. */
async function freshDigits(count: number, run: string): Promise<Picture[]> {
  const require = createRequire(import.meta.url);
  const pictures: Picture[] = [];
  for (let digit = 0; digit < 10; digit++) {
    const file = require.resolve(`mnist/src/digits/${digit}.json`);
    const { data } = digitFile.parse(JSON.parse(await readFile(file, 'utf8')));
    const first = randomInt(data.length / pixels - count);
    for (let i = 0; i < count; i++) {
      const scan = data.slice((first + i) * pixels, (first + i + 1) * pixels);
      for (let dot = 0; dot < 4; dot++) scan[randomInt(28)] = randomInt(1, 20) / 255;
      const name = `${run}-${digit}-${i}.png`;
      pictures.push({ label: String(digit), name, contentType: 'image/png', bytes: () => digitPng(scan) });
    }
  }
  return pictures;
}

/** Waits for a training on a version that has the sample, and for its end. */
async function trainedOn(
  client: Client,
  narrator: Narrator,
  { project, trainingLimitSeconds: limitSeconds }: SmokeOptions,
  after: number,
): Promise<Training> {
  const expected = 'a training on a version with the uploads, started by policy, to end';
  return waitFor({ expected, limitSeconds, everyMs: pollMs }, async () => {
    const { value } = (await client.get(`/projects/${project}/trainings`, page(trainingSummaryView))).body;
    // the first that began after the uploads: another version may follow with the last of them
    const training = value.filter(({ version }) => version.number > after).at(-1);
    if (training === undefined) return { seen: 'no such training' };
    narrator.progress(`training is ${training.state}`, training.progress?.done ?? 0, training.progress?.total ?? 0);
    if (openStates.includes(training.state)) return { seen: describe(training) };
    return { found: training };
  });
}

function describe({ id, state, attempt, failure }: Training): string {
  const trouble = failure === null ? '' : `; ${failure.code}: ${failure.detail}`;
  return `training ${id} is ${state} (attempt ${attempt})${trouble}`;
}

async function live(client: Client, project: string, model: number): Promise<void> {
  const expected = `model ${model} behind the endpoint`;
  await waitFor({ expected, limitSeconds: wakingLimitSeconds, everyMs: pollMs }, async () => {
    const { production } = (await client.get(`/projects/${project}/endpoint`, endpointView)).body;
    const now = production?.model ?? 0;
    return now >= model ? { found: now } : { seen: now === 0 ? 'no model' : `model ${now}` };
  });
}

/** Cancels what this or an earlier smoke test left waiting or running, and stops policy from starting more. */
async function cleanUp(client: Client, narrator: Narrator, project: string): Promise<void> {
  const { etag, body } = await client.get(`/projects/${project}`, projectStatusView);
  const quiet = { ...settings, retrain: { ...settings.retrain, onVersion: false } };
  await client.send('PUT', `/projects/${project}`, quiet, projectView, { 'if-match': etag });
  const { value } = (await client.get(`/projects/${project}/trainings`, page(trainingSummaryView))).body;
  for (const { id } of value.filter(({ state }) => openStates.includes(state))) {
    await client
      .send('POST', `/projects/${project}/trainings/${id}/cancel`, undefined, trainingView)
      // it ended in between
      .catch((error: unknown) => narrator.say(error instanceof Error ? error.message : String(error)));
  }
  narrator.say(
    `policy no longer trains in ${project}; its ${body.counts.samples} digits stay there, since the API removes no samples yet`,
  );
}

async function wholePath(client: Client, narrator: Narrator, options: SmokeOptions): Promise<void> {
  const { project } = options;
  const run = `smoke-${randomBytes(4).toString('hex')}`;
  const before = (await client.get(`/projects/${project}`, projectStatusView)).body.head?.number ?? 0;
  const digits = await freshDigits(perDigit + scored / 10, run);
  // classes take turns: the last of each are kept for scoring
  const isKept = ({ name }: Picture): boolean => Number(/-(\d+)\.png$/.exec(name)?.[1]) >= perDigit;
  const uploads = digits.filter((picture) => !isKept(picture));

  narrator.chapter(`Uploading ${uploads.length} scanned digits into project ${project}`);
  const blobs = await upload(client, narrator, project, uploads);
  const outcomes = new Map<string, number>();
  const until = performance.now() + wakingLimitSeconds * 1000;
  for (const blob of blobs) {
    const { outcome, reason } = await outcomeOf(client, project, blob, wakingLimitSeconds);
    if (performance.now() > until) throw new Error(`Expected every outcome within ${wakingLimitSeconds} s`);
    if (outcome !== 'accepted' && outcome !== 'duplicate')
      throw new Error(`Expected ${blob} to be accepted; seen: ${outcome} (${reason?.code ?? 'no reason'})`);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  narrator.say([...outcomes].map(([outcome, count]) => `${count} ${outcome}`).join(', '));

  narrator.chapter('Waiting for the model; on Azure the first training machine takes minutes');
  const training = await trainedOn(client, narrator, options, before);
  if (training.model === null) throw new Error(`Expected a model; seen: ${describe(training)}`);
  const model = (await client.get(`/projects/${project}/models/${training.model}`, modelView)).body;
  narrator.say(`model ${model.version} on version ${training.version.number} is ${model.verdict.decision}`);
  for (const reason of model.verdict.reasons) narrator.say(`  ${reason}`);
  if (model.verdict.decision !== 'approved') throw new Error('Expected the model to be approved; seen: rejected');
  await live(client, project, model.version);

  narrator.chapter(`Scoring ${scored} digits that it has not seen`);
  const answers = await score(client, narrator, project, digits.filter(isKept));
  const right = answers.filter(({ picture, answer }) => picture.label === answer.class).length;
  narrator.say(`${right} of ${answers.length} right, by model ${answers[0]?.answer.model.version ?? 'none'}`);
  if (right < leastRight) throw new Error(`Expected at least ${leastRight} right; seen: ${right}`);
  const samples = await getAll(client, `/projects/${project}/samples?limit=1`, sampleView, 1);
  if (samples.length !== 1) throw new Error('Expected samples in the listing; seen: none');
}

/** Runs the smoke test on a backend that is ready, and cleans up, whatever came of it. Rejects with what was expected and what was seen. */
export async function smokeTest(client: Client, narrator: Narrator, options: SmokeOptions): Promise<void> {
  await projectFor(client, options.project);
  try {
    await wholePath(client, narrator, options);
  } finally {
    narrator.chapter('Cleaning up');
    await cleanUp(client, narrator, options.project);
  }
}
