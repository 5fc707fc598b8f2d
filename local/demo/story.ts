/** The story of the demo, told through the HTTP API alone: every step checks that it happened. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '../../client/client.ts';
import { listDeadLetters } from '../../client/dead-letters.ts';
import { getEndpoint, rollBack as askForRollback } from '../../client/endpoint.ts';
import { getModel, listModels, type Model } from '../../client/models.ts';
import { putProject } from '../../client/projects.ts';
import { requestTraining } from '../../client/trainings.ts';
import { listVersions, type Version } from '../../client/versions.ts';
import { counted } from './counted.ts';
import { tellDiff } from './diff.ts';
import { traceBack } from './lineage.ts';
import type { Narrator } from './narrator.ts';
import { oddFiles } from './odd-files.ts';
import type { Picture, PictureSet } from './pictures.ts';
import type { Report } from './report.ts';
import { accuracyOf, mustComeFrom, score, type Scored } from './score.ts';
import type { Stopwatch } from './stopwatch.ts';
import { deployed, followTraining, percent, trainingOn, versionWith } from './train.ts';
import { checkOddFiles, type OddUpload, outcomeOf, settled, summaryOf, upload } from './upload.ts';

interface Stage {
  client: Client;
  narrator: Narrator;
  stopwatch: Stopwatch;
  pictures: PictureSet;
}

/** scoring instances notice a change of the endpoint within this time */
const noticeMs = 2000;
const firstScores = 100;
const scoresAfterRollback = 20;

/** Tells the whole story. Throws at the first step that does not happen, with what was expected and what was seen. */
export async function tellStory(stage: Stage): Promise<Omit<Report, 'seconds'>> {
  const { client, narrator, stopwatch, pictures } = stage;
  const { project, first, second, holdout } = pictures;

  narrator.chapter(`Project "${project}" and a first upload: ${first.length} ${pictures.what}, and five odd files`);
  await putProject(client, project, pictures.settings);
  const odd = await stopwatch.stage('upload1', () => uploadFirst(stage, first));
  const one = await learn(stage, 1, 0, odd);
  narrator.chapter(`Scoring ${counted(Math.min(firstScores, holdout.length), 'held-out image')}, which no version has`);
  const early = await stopwatch.stage('score1', () =>
    scoreLive(stage, holdout.slice(0, firstScores), one.model.version),
  );
  narrator.say(`${early.length} scored by model ${one.model.version}: ${percent(accuracyOf(early))} right`);

  narrator.chapter(`A second upload: ${second.length} more`);
  await stopwatch.stage('upload2', () => upload(client, narrator, project, second));
  const two = await learn(stage, 2, one.version.number, []);
  if (two.model.verdict.champion === null) {
    throw new Error(
      `Expected model ${two.model.version} to be compared with the champion; seen: no comparison in its verdict`,
    );
  }
  await tellDiff(client, narrator, project, [one.version, two.version]);

  await retrain(stage);
  const { champion, scored } = await scoreHoldout(stage);
  const rolledBackTo = await rollBack(stage, champion);
  narrator.chapter('Lineage: from one prediction back to the images behind it');
  const prediction = scored[0]?.answer.predictionId ?? '';
  const lineage = await stopwatch.stage('lineage', () => traceBack(client, narrator, project, prediction));
  return {
    ...(await tally(stage)),
    holdout: { count: scored.length, accuracy: accuracyOf(scored) },
    champion,
    rolledBackTo,
    lineage,
  };
}

async function uploadFirst({ client, narrator, pictures: { project } }: Stage, first: Picture[]): Promise<OddUpload[]> {
  const blobs = await upload(client, narrator, project, first);
  // the odd files repeat a picture, which has to be a sample before they come
  let good: Picture | undefined;
  for (const [i, blob] of blobs.slice(0, triedForOdd).entries()) {
    if (good === undefined && (await outcomeOf(client, project, blob)).outcome === 'accepted') good = first[i];
  }
  const other = first.find(({ label }) => label !== good?.label);
  if (good === undefined || other === undefined) {
    throw new Error(`Expected one of the first ${triedForOdd} uploads to be accepted; seen: none`);
  }
  narrator.say(`${first.length} uploaded; now the odd ones`);
  const files = await oddFiles(good, other.label);
  const oddBlobs = await upload(client, narrator, project, files);
  return files.map((file, i) => ({ file, blob: oddBlobs[i] ?? '' }));
}

const oddFileCount = 5;
/** in a folder of unknown pictures the first may be damaged or double */
const triedForOdd = 20;

/** From what was uploaded to a live model: every step happens by itself, this only watches. */
async function learn(
  stage: Stage,
  round: 1 | 2,
  after: number,
  odd: OddUpload[],
): Promise<{ version: Version; model: Model }> {
  const { client, narrator, stopwatch, pictures } = stage;
  const { project, first, second } = pictures;
  const uploads = first.length + oddFileCount + (round === 1 ? 0 : second.length);
  const summary = await stopwatch.stage(`ingest${round}`, async () => {
    const outcomes = await settled(client, narrator, project, uploads);
    await checkOddFiles(client, narrator, project, odd);
    return outcomes;
  });
  // all have an outcome: none is still received
  const told = Object.entries(summary).flatMap(([outcome, n]) => (outcome === 'received' ? [] : [`${n} ${outcome}`]));
  narrator.say(`${uploads} uploads so far: ${told.join(', ')}`);

  narrator.chapter('The commit window closes, a version is committed');
  const version = await stopwatch.stage(`version${round}`, () =>
    versionWith(client, narrator, project, summary.accepted),
  );
  if (version.number <= after)
    throw new Error(`Expected a version after version ${after}; seen: version ${version.number}`);
  const { train, validation, test } = version.bySplit as Record<string, number | undefined>;
  narrator.say(
    `version ${version.number} (${version.id.slice(0, 12)}): ${version.samples} samples of ${Object.keys(version.byClass).length} classes, ` +
      `${train ?? 0} train, ${validation ?? 0} validation, ${test ?? 0} test; ${version.bytesWritten} bytes written`,
  );

  narrator.chapter(`Training starts by itself on version ${version.number}`);
  const { model } = await stopwatch.stage(`training${round}`, async () =>
    followTraining(client, narrator, project, await trainingOn(client, project, version, after)),
  );
  if (model.verdict.decision !== 'approved') {
    throw new Error(`Expected model ${model.version} to pass the gate; seen: ${model.verdict.reasons.join('; ')}`);
  }
  await stopwatch.stage(`deployment${round}`, () => deployed(client, narrator, project, model.version));
  narrator.say(`model ${model.version} is registered and live`);
  return { version, model };
}

async function scoreLive({ client, narrator, pictures }: Stage, images: Picture[], model: number): Promise<Scored[]> {
  await sleep(noticeMs);
  const scored = await score(client, narrator, pictures.project, images);
  mustComeFrom(scored, model);
  return scored;
}

async function retrain({ client, narrator, stopwatch, pictures: { project, retraining } }: Stage): Promise<void> {
  const { question, trainer } = retraining;
  narrator.chapter(`An operator asks for a retraining with ${trainer.name}: ${question}`);
  await stopwatch.stage('retraining', async () => {
    const id = await requestTraining(client, project, { trainer, reason: question });
    const { training, model } = await followTraining(client, narrator, project, id);
    if (training.trainer.name !== trainer.name)
      throw new Error(`Expected a training with ${trainer.name}; seen: ${training.trainer.name}`);
    if (model.verdict.decision === 'rejected') return narrator.say('it is rejected: the champion stays');
    await deployed(client, narrator, project, model.version);
    narrator.say(`model ${model.version} is registered and live`);
  });
}

async function scoreHoldout(stage: Stage): Promise<{ champion: number; scored: Scored[] }> {
  const { client, narrator, stopwatch, pictures } = stage;
  const { project, holdout, leastAccuracy } = pictures;
  const { production } = (await getEndpoint(client, project)).body;
  if (production === null) throw new Error('Expected a live model; seen: none');
  const champion = production.model;
  narrator.chapter(`${holdout.length} held-out images are scored by the live model ${champion}`);
  const scored = await stopwatch.stage('holdout', () => scoreLive(stage, holdout, champion));
  const accuracy = accuracyOf(scored);
  narrator.say(`${percent(accuracy)} right`);
  if (leastAccuracy !== null && scored.length < holdout.length) {
    throw new Error(`Expected scores of all ${holdout.length} images; seen: ${scored.length}`);
  }
  if (leastAccuracy !== null && accuracy < leastAccuracy) {
    throw new Error(
      `Expected an accuracy of at least ${percent(leastAccuracy)} on the holdout; seen: ${percent(accuracy)}`,
    );
  }
  return { champion, scored };
}

async function rollBack(stage: Stage, champion: number): Promise<number> {
  const { client, narrator, stopwatch, pictures } = stage;
  const { body, etag } = await getEndpoint(client, pictures.project);
  const earlier = body.previous?.model;
  if (earlier === undefined) throw new Error(`Expected a model before model ${champion} to return to; seen: none`);
  narrator.chapter(`Rollback from model ${champion} to model ${earlier}, in one call`);
  return stopwatch.stage('rollback', async () => {
    const after = await askForRollback(client, pictures.project, 'the demo shows it', etag);
    if (after.production?.model !== earlier) {
      throw new Error(
        `Expected model ${earlier} to be live after the rollback; seen: ${after.production?.model ?? 'none'}`,
      );
    }
    const { holdout } = pictures;
    const images = Array.from({ length: scoresAfterRollback }, (_, i) => holdout.slice(i % holdout.length)[0]);
    const scored = await scoreLive(
      stage,
      images.filter((image) => image !== undefined),
      earlier,
    );
    narrator.say(`${noticeMs / 1000} s later all ${scored.length} scores come from model ${earlier}`);
    return earlier;
  });
}

/** Everything that there is now, as the API has it. */
async function tally({
  client,
  pictures: { project },
}: Stage): Promise<Pick<Report, 'uploads' | 'versions' | 'models' | 'deadLetters'>> {
  const { received, ...uploads } = await summaryOf(client, project);
  if (received > 0) throw new Error(`Expected every upload to have an outcome; seen: ${received} without`);
  const versions = (await listVersions(client, project)).reverse();
  const listed = (await listModels(client, project)).reverse();
  const models = [];
  for (const { version } of listed) models.push(await getModel(client, project, version));
  const deadLetters = await listDeadLetters(client);
  return {
    uploads,
    versions: versions.map(({ number, id, samples, bytesWritten, changes }) => ({
      number,
      id,
      samples,
      bytesWritten,
      ...changes,
    })),
    models: models.map(({ version, digest, metrics, verdict, datasetVersion, lineage }) => ({
      ...{
        version,
        digest,
        accuracy: 'accuracy' in metrics ? metrics.accuracy : null,
        verdict: verdict.decision,
        reasons: verdict.reasons,
      },
      ...{ datasetVersion: datasetVersion.number, seed: lineage.seed },
    })),
    deadLetters: deadLetters.length,
  };
}
