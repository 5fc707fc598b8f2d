/** The whole path in one go, on real scanned digits: uploads, a version, a training, a model behind the endpoint, scores. */
import { randomBytes, randomInt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import * as z from 'zod';
import { type Client, Refused } from '../client/client.ts';
import { getEndpoint } from '../client/endpoint.ts';
import { isLive, isReady } from '../client/health.ts';
import { getModel } from '../client/models.ts';
import { getProject, putProject } from '../client/projects.ts';
import { listNewestSamples } from '../client/samples.ts';
import { cancelTraining, isOpen, listNewestTrainings, type TrainingSummary } from '../client/trainings.ts';
import { digitPng } from '../local/demo/digits.ts';
import type { Narrator } from '../local/demo/narrator.ts';
import type { Picture } from '../local/demo/pictures.ts';
import { score } from '../local/demo/score.ts';
import { outcomeOf, upload } from '../local/demo/upload.ts';
import { waitFor } from '../local/demo/wait.ts';
import type { ProjectSettingsInput } from '../shared/project/settings.ts';

export interface SmokeOptions {
  /** the project it works in; made when missing, used again by the next smoke test */
  project: string;
  /** how long to wait for a model, training machines included */
  trainingLimitSeconds: number;
}

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

/** A trainer of two seconds, and a gate that asks whether anything was learned, not whether it is better than yesterday's. */
const settings: ProjectSettingsInput = {
  trainer: { name: 'softmax' },
  gate: { minimum: 0.4, minimumRecall: 0, maxRegression: 1 },
  retrain: { onVersion: true, minNewSamples: 10, cooldownSeconds: 0, maxPerDay: 1000 },
  commit: { quietSeconds: 3, maxWaitSeconds: 30 },
};

/** Azure answers at the address of any app that exists, asleep or not: nothing is there to wait for. */
const nobodyThere = new Set(['ENOTFOUND', 'ECONNREFUSED']);
function isNobodyThere(error: unknown): boolean {
  for (let one = error; one instanceof Error; one = one.cause)
    if (nobodyThere.has(String((one as NodeJS.ErrnoException).code))) return true;
  return false;
}

/** Waits until the backend says that it is well; rejects at once when the key is refused, or nobody is at the address. */
async function healthy(expected: string, ask: () => Promise<void>): Promise<void> {
  const wait = { expected, limitSeconds: wakingLimitSeconds, everyMs: 3000 };
  await waitFor(wait, async () => {
    try {
      return { found: await ask() };
    } catch (error) {
      if (error instanceof Refused && (error.status === 401 || error.status === 403)) throw error;
      if (isNobodyThere(error)) throw error;
      return { seen: error instanceof Error ? error.message : String(error) };
    }
  });
}

/** Rejects when no backend answers at the address, or it does not take the key. Roles of a new identity take a minute to arrive everywhere. */
export async function untilReady(client: Client): Promise<void> {
  await healthy('success from /health/live', () => isLive(client));
  await healthy('success from /health/ready', () => isReady(client));
}

async function projectFor(client: Client, project: string): Promise<void> {
  try {
    const { etag } = await getProject(client, project);
    await putProject(client, project, settings, etag);
  } catch (error) {
    if (!(error instanceof Refused) || error.status !== 404) throw error;
    await putProject(client, project, settings);
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
): Promise<TrainingSummary> {
  const expected = 'a training on a version with the uploads, started by policy, to end';
  return waitFor({ expected, limitSeconds, everyMs: pollMs }, async () => {
    const trainings = await listNewestTrainings(client, project);
    // the first that began after the uploads: another version may follow with the last of them
    const training = trainings.filter(({ version }) => version.number > after).at(-1);
    if (training === undefined) return { seen: 'no such training' };
    narrator.progress(`training is ${training.state}`, training.progress?.done ?? 0, training.progress?.total ?? 0);
    if (isOpen(training)) return { seen: describe(training) };
    return { found: training };
  });
}

function describe({ id, state, attempt, failure }: TrainingSummary): string {
  const trouble = failure === null ? '' : `; ${failure.code}: ${failure.detail}`;
  return `training ${id} is ${state} (attempt ${attempt})${trouble}`;
}

async function live(client: Client, project: string, model: number): Promise<void> {
  const expected = `model ${model} behind the endpoint`;
  await waitFor({ expected, limitSeconds: wakingLimitSeconds, everyMs: pollMs }, async () => {
    const { production } = (await getEndpoint(client, project)).body;
    const now = production?.model ?? 0;
    return now >= model ? { found: now } : { seen: now === 0 ? 'no model' : `model ${now}` };
  });
}

/** Cancels what this or an earlier smoke test left waiting or running, and stops policy from starting more. */
async function cleanUp(client: Client, narrator: Narrator, project: string): Promise<void> {
  const { etag, body } = await getProject(client, project);
  const quiet = { ...settings, retrain: { ...settings.retrain, onVersion: false } };
  await putProject(client, project, quiet, etag);
  for (const { id } of (await listNewestTrainings(client, project)).filter(isOpen)) {
    await cancelTraining(client, project, id)
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
  const before = (await getProject(client, project)).body.head?.number ?? 0;
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
  const model = await getModel(client, project, training.model);
  narrator.say(`model ${model.version} on version ${training.version.number} is ${model.verdict.decision}`);
  for (const reason of model.verdict.reasons) narrator.say(`  ${reason}`);
  if (model.verdict.decision !== 'approved') throw new Error('Expected the model to be approved; seen: rejected');
  await live(client, project, model.version);

  narrator.chapter(`Scoring ${scored} digits that it has not seen`);
  const answers = await score(client, narrator, project, digits.filter(isKept));
  const right = answers.filter(({ picture, answer }) => 'class' in answer && picture.label === answer.class).length;
  narrator.say(`${right} of ${answers.length} right, by model ${answers[0]?.answer.model.version ?? 'none'}`);
  if (right < leastRight) throw new Error(`Expected at least ${leastRight} right; seen: ${right}`);
  const samples = await listNewestSamples(client, project, 1);
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
