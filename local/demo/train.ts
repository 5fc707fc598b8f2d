/** Following a training from its request to the model behind the endpoint. */
import type { Client } from '../../client/client.ts';
import { getEndpoint } from '../../client/endpoint.ts';
import { getModel, type Model } from '../../client/models.ts';
import { getProject } from '../../client/projects.ts';
import { getTraining, isOpen, listNewestTrainings, type Training } from '../../client/trainings.ts';
import type { Version } from '../../client/versions.ts';
import type { Narrator } from './narrator.ts';
import { waitFor } from './wait.ts';

/** a commit window is at most 60 s long by default */
const versionLimitSeconds = 120;
const requestLimitSeconds = 60;
const contentAfterMs = 20_000;
const trainingLimitSeconds = 900;
const deploymentLimitSeconds = 60;
const pollMs = 500;
const shownLosses = 16;

/** Waits for the version that holds so many samples, committed by events alone. */
export function versionWith(client: Client, narrator: Narrator, project: string, samples: number): Promise<Version> {
  const expected = `a dataset version with ${samples} samples`;
  return waitFor({ expected, limitSeconds: versionLimitSeconds, everyMs: pollMs }, async () => {
    const { head } = (await getProject(client, project)).body;
    if (head !== null && head.samples === samples) return { found: head };
    narrator.progress('waiting for the commit window: samples in a version', head?.samples ?? 0, samples);
    return { seen: head === null ? 'no version' : `version ${head.number} with ${head.samples} samples` };
  });
}

/**
 * Waits for the training that policy starts on a version, and returns its id. When uploads were so slow that their
 * window closed in between, the few samples of the last version may not be worth a training of their own: then it is
 * the one on the version before, which is newer than number `after`.
 */
export function trainingOn(client: Client, project: string, version: Version, after: number): Promise<string> {
  const expected = `a training on version ${version.number}, started by policy`;
  const contentAt = performance.now() + contentAfterMs;
  return waitFor({ expected, limitSeconds: requestLimitSeconds, everyMs: pollMs }, async () => {
    const all = await listNewestTrainings(client, project);
    const exact = all.find((training) => training.version.id === version.id);
    const near = performance.now() < contentAt ? undefined : all.find((training) => training.version.number > after);
    const found = exact ?? near;
    return found === undefined ? { seen: `${all.length} trainings, none on it` } : { found: found.id };
  });
}

const latest = (training: Training, key: string): number | undefined =>
  training.metrics.findLast((metric) => metric.key === key)?.value;

function tellProgress(narrator: Narrator, training: Training): void {
  const { progress, state } = training;
  const loss = latest(training, 'loss');
  const accuracy = latest(training, 'validation.accuracy');
  const precision = latest(training, 'validation.ap50');
  const more = [
    ...(loss === undefined ? [] : [`loss ${loss.toFixed(3)}`]),
    ...(accuracy === undefined ? [] : [`validation accuracy ${percent(accuracy)}`]),
    ...(precision === undefined ? [] : [`validation AP50 ${precision.toFixed(3)}`]),
    ...(training.attempt > 1 ? [`attempt ${training.attempt}`] : []),
  ].join(', ');
  if (state !== 'running' || progress === null) return narrator.progress(`training is ${state}`, 0, 0);
  const phase = progress.phase === 'train' ? 'training: step' : `training: ${progress.phase}`;
  narrator.progress(phase, progress.done, progress.total, more);
}

/** A share as people read it. */
export const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

/** Follows a training, with progress and loss, until it has ended. Throws when it ended without a model. */
export async function followTraining(
  client: Client,
  narrator: Narrator,
  project: string,
  id: string,
): Promise<{ training: Training; model: Model }> {
  const expected = `the end of training ${id}`;
  const training = await waitFor({ expected, limitSeconds: trainingLimitSeconds, everyMs: pollMs }, async () => {
    const now = await getTraining(client, project, id);
    if (!isOpen(now)) return { found: now };
    tellProgress(narrator, now);
    return { seen: `it is ${now.state}` };
  });
  const { failure, state, model: number } = training;
  if (number === null) {
    const why = failure === null ? '' : `: ${failure.code}, ${failure.detail}`;
    throw new Error(`Expected training ${id} to end with a model; seen: ${state}${why}`);
  }
  const model = await getModel(client, project, number);
  tellTraining(narrator, training);
  tellVerdict(narrator, model);
  return { training, model };
}

function tellTraining(narrator: Narrator, training: Training): void {
  const losses = training.metrics.filter(({ key }) => key === 'loss').map(({ value }) => value.toFixed(2));
  const every = Math.ceil(losses.length / shownLosses);
  const seconds = (from: string | null, to: string | null): string =>
    from === null || to === null ? '?' : ((Date.parse(to) - Date.parse(from)) / 1000).toFixed(1);
  narrator.say(
    `loss ${every === 1 ? 'per epoch' : `in one of every ${every} epochs`}: ${losses.filter((_, i) => i % every === 0).join(' ')}`,
  );
  const compared = training.metrics.flatMap(({ key, value }) => {
    const [, how, method] = /^(cross-validation|left-out)\.(.+)$/.exec(key) ?? [];
    return method === undefined ? [] : [`${method} ${percent(value)} (${how})`];
  });
  if (compared.length > 0) narrator.say(`compared on the training split: ${compared.join(', ')}`);
  const { trainer, image, seed, createdAt, startedAt, trainedAt, endedAt } = training;
  narrator.say(
    `${trainer.name} on ${image.width}x${image.height}x${image.channels}, seed ${seed}: started after ${seconds(createdAt, startedAt)} s, ` +
      `trained ${seconds(startedAt, trainedAt)} s, evaluated ${seconds(trainedAt, endedAt)} s`,
  );
}

function tellVerdict(narrator: Narrator, { version, verdict, digest }: Model): void {
  narrator.say(`model ${version} (${digest.slice(0, 12)}) is ${verdict.decision} by the gate:`);
  for (const reason of verdict.reasons) narrator.say(`  ${reason}`);
}

/** Waits until a model is behind the endpoint. */
export function deployed(client: Client, narrator: Narrator, project: string, model: number): Promise<void> {
  const expected = `model ${model} behind the endpoint`;
  return waitFor({ expected, limitSeconds: deploymentLimitSeconds, everyMs: 200 }, async () => {
    const { production, history } = (await getEndpoint(client, project)).body;
    narrator.progress('waiting for the deployment', 0, 0);
    if (production?.model === model) return { found: undefined };
    const failed = history.find((entry) => entry.model === model && entry.state === 'failed');
    if (failed !== undefined) throw new Error(`Expected ${expected}; seen: its deployment failed: ${failed.reason}`);
    return { seen: production === null ? 'no model' : `model ${production.model}` };
  });
}
