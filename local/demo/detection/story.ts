/** The story of a detector, told through the HTTP API alone: every step checks that it happened. */
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pMap from 'p-map';
import type { Client } from '../../../client/client.ts';
import { listDeadLetters } from '../../../client/dead-letters.ts';
import { getEndpoint, rollBack as askForRollback, score as scoreImage } from '../../../client/endpoint.ts';
import { getModel, listModels, type Model } from '../../../client/models.ts';
import { putProject } from '../../../client/projects.ts';
import { listVersions, type Version } from '../../../client/versions.ts';
import type { ProjectSettingsInput } from '../../../shared/project/settings.ts';
import { tellDiff } from '../diff.ts';
import { traceBack } from '../lineage.ts';
import type { Narrator } from '../narrator.ts';
import type { Stopwatch } from '../stopwatch.ts';
import { deployed, followTraining, trainingOn, versionWith } from '../train.ts';
import { settled, summaryOf, upload } from '../upload.ts';
import { annotateScenes } from './annotate.ts';
import { objectNames } from './clip-art.ts';
import { drawSheet } from './draw.ts';
import { type Answered, countFound } from './found.ts';
import type { DetectionReport } from './report.ts';
import type { Scene } from './scenes.ts';

export interface SceneSet {
  first: Scene[];
  second: Scene[];
  /** no model gets to see these before they are scored */
  holdout: Scene[];
}

interface Stage {
  client: Client;
  narrator: Narrator;
  stopwatch: Stopwatch;
  scenes: SceneSet;
  /** what is drawn is written here */
  folder: string;
}

const project = 'scenes';
const settings: ProjectSettingsInput = {
  task: 'detection',
  classes: Object.keys(objectNames),
  // boxes come one by one, and all of an upload belong into one version
  commit: { quietSeconds: 5, maxWaitSeconds: 600 },
};
/** what the model that is live in the end has to reach on its test split */
const leastAp50 = 0.6;
/** scoring instances notice a change of the endpoint within this time */
const noticeMs = 2000;
const scoresAtOnce = 4;
const drawnScenes = 6;
const scoresAfterRollback = 8;

/** Tells the whole story. Throws at the first step that does not happen, with what was expected and what was seen. */
export async function tellDetection(stage: Stage): Promise<Omit<DetectionReport, 'seconds'>> {
  const { client, narrator, stopwatch, scenes } = stage;
  const { first, second, holdout } = scenes;

  narrator.chapter(
    `Project "${project}", a detector of ${settings.classes?.join(', ')}: ${first.length} scenes and their boxes`,
  );
  await putProject(client, project, settings);
  const one = await learn(stage, 1, first, 0);
  const early = await look(stage, one.model.version);

  narrator.chapter(`A second upload: ${second.length} more scenes`);
  const two = await learn(stage, 2, second, one.version.number);
  if (two.model.verdict.champion === null)
    throw new Error(`Expected model ${two.model.version} to be compared with the champion; seen: no comparison`);
  await tellDiff(client, narrator, project, [one.version, two.version]);
  const late = await look(stage, two.model.version);
  mustBeBetter(early, late, two.model);
  narrator.say(
    `on the same scenes model ${one.model.version} had F1 ${early.f1.toFixed(3)}, model ${two.model.version} has ${late.f1.toFixed(3)}`,
  );

  const rolledBackTo = await rollBack(stage, two.model.version);
  narrator.chapter('Lineage: from one prediction back to the scenes behind it');
  const lineage = await stopwatch.stage('lineage', () => traceBack(client, narrator, project, late.prediction));
  return {
    ...(await tally(client)),
    holdout: { scenes: holdout.length, ...late.counts },
    champion: two.model.version,
    rolledBackTo,
    lineage,
    pictures: [early.file, late.file],
  };
}

/** From scenes to a live model: boxes are given by this, everything else happens by itself. */
async function learn(
  { client, narrator, stopwatch, scenes: { first } }: Stage,
  round: 1 | 2,
  scenes: Scene[],
  after: number,
): Promise<{ version: Version; model: Model }> {
  const samples = scenes.length + (round === 1 ? 0 : first.length);
  await stopwatch.stage(`upload${round}`, async () => {
    const blobs = await upload(client, narrator, project, scenes);
    await settled(client, narrator, project, samples);
    const uploaded = scenes.map((scene, i) => ({ scene, blob: blobs[i] ?? '' }));
    await annotateScenes(client, narrator, project, uploaded);
  });
  const negative = scenes.filter(({ boxes }) => boxes.length === 0).length;
  const boxes = scenes.reduce((sum, scene) => sum + scene.boxes.length, 0);
  narrator.say(`${scenes.length} scenes with ${boxes} boxes, ${negative} of them with nothing to find`);

  narrator.chapter('The commit window closes, a version is committed');
  const version = await stopwatch.stage(`version${round}`, () => versionWith(client, narrator, project, samples));
  const { train, validation, test } = version.bySplit;
  narrator.say(
    `version ${version.number} (${version.id.slice(0, 12)}): ${train} train, ${validation} validation, ${test} test`,
  );

  narrator.chapter(`Training starts by itself on version ${version.number}`);
  const { model } = await stopwatch.stage(`training${round}`, async () =>
    followTraining(client, narrator, project, await trainingOn(client, project, version, after)),
  );
  if (model.verdict.decision !== 'approved')
    throw new Error(`Expected model ${model.version} to pass the gate; seen: ${model.verdict.reasons.join('; ')}`);
  await stopwatch.stage(`deployment${round}`, () => deployed(client, narrator, project, model.version));
  narrator.say(`model ${model.version} is registered and live`);
  return { version, model };
}

/** COCO's average precision of a model on the test split of its version, as the backend measured it. */
function precisionOf({ version, metrics }: Model): { ap50: number; ap: number } {
  if (!('ap50' in metrics) || metrics.ap50 === null || metrics.ap === null)
    throw new Error(`Expected the average precision of model ${version}; seen: ${JSON.stringify(metrics)}`);
  return { ap50: metrics.ap50, ap: metrics.ap };
}

/** Throws unless the second model is better on the same held-out scenes, and good enough on the scenes of its test split. */
function mustBeBetter(early: Look, late: Look, model: Model): void {
  const { ap50 } = precisionOf(model);
  if (late.f1 <= early.f1)
    throw new Error(
      `Expected model ${model.version} to be better than F1 ${early.f1.toFixed(3)}; seen: ${late.f1.toFixed(3)}`,
    );
  if (ap50 < leastAp50)
    throw new Error(`Expected AP50 of at least ${leastAp50} on scenes that no training saw; seen: ${ap50.toFixed(3)}`);
}

async function scoreScenes(client: Client, scenes: readonly Scene[], model: number) {
  await sleep(noticeMs);
  return pMap(
    scenes,
    async (scene) => {
      const answer = await scoreImage(client, project, await scene.bytes(), scene.contentType);
      if (!('boxes' in answer)) throw new Error(`Expected boxes; seen: ${JSON.stringify(answer)}`);
      if (answer.model.version !== model)
        throw new Error(`Expected a score of model ${model}; seen: one of model ${answer.model.version}`);
      return { scene, answered: answer.boxes as Answered[], prediction: answer.predictionId };
    },
    { concurrency: scoresAtOnce },
  );
}

interface Look {
  counts: { objects: number; found: number; wrong: number };
  /** twice what was found, as a part of all objects and all boxes */
  f1: number;
  /** what was drawn */
  file: string;
  prediction: string;
}

/** Scores what was held out and draws some of it. */
async function look({ client, narrator, stopwatch, scenes: { holdout }, folder }: Stage, model: number): Promise<Look> {
  narrator.chapter(`${holdout.length} held-out scenes are scored by the live model ${model}`);
  const scored = await stopwatch.stage(`score${model}`, () => scoreScenes(client, holdout, model));
  const counts = { objects: 0, found: 0, wrong: 0 };
  for (const { scene, answered } of scored) {
    const { objects, found, wrong } = countFound(scene, answered);
    counts.objects += objects;
    counts.found += found;
    counts.wrong += wrong;
  }
  narrator.say(`${counts.found} of ${counts.objects} objects are found; ${counts.wrong} boxes are around none`);
  const file = path.join(folder, `model-${model}.png`);
  await drawSheet(file, scored.slice(0, drawnScenes));
  narrator.say(`drawn: ${file}`);
  const { objects, found, wrong } = counts;
  const f1 = (2 * found) / Math.max(1, objects + found + wrong);
  return { counts, f1, file, prediction: scored.find(({ answered }) => answered.length > 0)?.prediction ?? '' };
}

async function rollBack(
  { client, narrator, stopwatch, scenes: { holdout } }: Stage,
  champion: number,
): Promise<number> {
  const { body, etag } = await getEndpoint(client, project);
  const earlier = body.previous?.model;
  if (earlier === undefined) throw new Error(`Expected a model before model ${champion} to return to; seen: none`);
  narrator.chapter(`Rollback from model ${champion} to model ${earlier}, in one call`);
  return stopwatch.stage('rollback', async () => {
    await askForRollback(client, project, 'the demo shows it', etag);
    const scored = await scoreScenes(client, holdout.slice(0, scoresAfterRollback), earlier);
    narrator.say(`${noticeMs / 1000} s later all ${scored.length} scores come from model ${earlier}`);
    return earlier;
  });
}

/** Everything that there is now, as the API has it. */
async function tally(
  client: Client,
): Promise<Pick<DetectionReport, 'uploads' | 'versions' | 'models' | 'deadLetters'>> {
  const { received: _, ...uploads } = await summaryOf(client, project);
  const versions = (await listVersions(client, project)).reverse();
  const models: Model[] = [];
  for (const { version } of (await listModels(client, project)).reverse())
    models.push(await getModel(client, project, version));
  return {
    uploads,
    versions: versions.map(({ number, id, samples, bytesWritten, changes }) => ({
      ...{ number, id, samples, bytesWritten },
      ...changes,
    })),
    models: models.map((model) => ({
      ...{ version: model.version, digest: model.digest, datasetVersion: model.datasetVersion.number },
      ...{ seed: model.lineage.seed, ...precisionOf(model) },
      ...{ verdict: model.verdict.decision, reasons: model.verdict.reasons },
    })),
    deadLetters: (await listDeadLetters(client)).length,
  };
}
