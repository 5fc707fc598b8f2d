/**
 * Scoring the test split in shards: each shard's assessments are one blob, so that a large test split
 * fits into the function time limit and a crash loses one shard at most.
 */
import pMap from 'p-map';
import * as z from 'zod';
import type { SampleRecord } from '../dataset/record.ts';
import { whyUnreadable } from '../sample/set-aside.ts';
import { storedName } from '../sample/content.ts';
import { treeStore } from '../dataset/store.ts';
import { entries } from '../dataset/entries.ts';
import type { ModelDocument } from '../model/document.ts';
import type { RunDocument } from '../training/document.ts';
import { isSameSpec } from '../image/size.ts';
import { RetryLater, TerminalError } from '../errors.ts';
import { imagesPerRun } from '../onnx/batch.ts';
import { misfit } from '../onnx/ends.ts';
import { digestOf } from '../digest.ts';
import type { Blobs } from '../ports.ts';
import { loadModel } from '../model/artifact.ts';
import type { Budget } from '../budget.ts';
import { placementOf } from '../image/placement.ts';
import { createSampleBudget, type Inference, withSample } from '../prediction/inference.ts';
import type { Answered, Assessment } from '../task/models.ts';
import type { Annotation, TaskKind } from '../task/task.ts';

export const shardSize = 500;
const defaultMaxShards = 2000;
/** test samples of a version that a model is assessed on */
export const maxTestSamples = defaultMaxShards * shardSize;
const readAtOnce = 8;
/** Samples whose inputs and answers are in memory at a time: as many as the models run at once, and at least those that are read. */
const groupSize = (models: readonly EvaluatedModel[]): number =>
  Math.max(readAtOnce, Math.min(...models.map(({ image }) => imagesPerRun(image))));

/** What is kept of a shard; assessments are in the form of their kind. */
const shardFile = z.object({ version: z.literal(1), assessed: z.array(z.unknown()).max(shardSize) });

/** A model as an evaluation runs it. */
export interface EvaluatedModel {
  digest: string;
  classes: string[];
  image: RunDocument['image'];
  /** what it says of itself; left out: nothing */
  metadata?: object;
  load: () => Promise<Buffer>;
}

export interface EvaluationPorts extends Inference {
  blobs: Blobs;
}

interface AssessmentPorts extends EvaluationPorts {
  budget: Budget;
}

interface Comparison {
  project: string;
  kind: TaskKind;
  candidate: EvaluatedModel;
  champion: EvaluatedModel | null;
  /** Takes a sample that cannot be read out of the dataset: it is not assessed. Called before what was assessed is kept. */
  setAside: (md5: string, reason: string) => Promise<void>;
}

/** What was assessed of a test split, and how many samples of it could not be read. */
export interface AssessedSplit {
  assessed: Assessment[];
  unreadable: number;
}

/** assessments of a kind may be large: 64 KB for each sample */
const maxShardBytes = 32 * 1024 * 1024;

type Sample = Pick<SampleRecord, 'md5' | 'sizeBytes' | 'width' | 'height'> & { annotation: Annotation };

/**
 * Assesses what the models answer for every test sample of a version that can be read and is for the candidate's classes.
 * `outOfTime` is asked between shards; when it says yes the result is 'continue' and the next call goes on where this one
 * stopped. Throws a TerminalError when there are more than `maxShards` of them, or when the candidate cannot be run.
 */
export async function assessTestSplit(
  ports: EvaluationPorts,
  input: Comparison & { root: string; outOfTime: () => boolean; maxShards?: number },
): Promise<AssessedSplit | 'continue'> {
  const { project, kind, root, candidate, champion, maxShards = defaultMaxShards } = input;
  // the same bytes under other class names answer otherwise
  const classNames = digestOf(8, ...candidate.classes);
  const models = `${candidate.digest.slice(0, 32)}-${champion?.digest.slice(0, 32) ?? 'none'}-${classNames}`;
  const prefix = `${project}/evaluations/${root.slice(0, 32)}/${models}`;
  const assessed: Assessment[] = [];
  const assessing = { ...ports, budget: ports.sampleBytes ?? createSampleBudget() };
  let shard: Sample[] = [];
  let number = 0;
  let fresh = 0;
  let samples = 0;
  const flush = async (): Promise<boolean> => {
    if (shard.length === 0) return true;
    if (number >= maxShards) throw tooMany(maxShards * shardSize);
    const name = `${prefix}/${String(number++).padStart(5, '0')}.json`;
    const known = await ports.blobs.get('models', name, { maxBytes: maxShardBytes });
    if (known !== undefined && known !== 'too-large') assessed.push(...readShard(kind, known.body));
    // one at least, or shards that are only read would use up the time of every call
    else if (fresh++ > 0 && input.outOfTime()) return false;
    else assessed.push(...(await assessShard(assessing, input, shard, name)));
    shard = [];
    return true;
  };
  const classes = new Set(candidate.classes);
  for await (const { record } of entries(treeStore(ports.blobs, project), root, { split: 'test' })) {
    const { md5, annotation, sizeBytes, width, height } = record;
    if (kind.manifestLine(annotation, classes) === null) continue;
    samples++;
    shard.push({ md5, annotation, sizeBytes, width, height });
    if (shard.length === shardSize && !(await flush())) return 'continue';
  }
  return (await flush()) ? { assessed, unreadable: samples - assessed.length } : 'continue';
}

function tooMany(most: number): TerminalError {
  return new TerminalError(
    'too-many-test-samples',
    `This version has more than ${most} test samples of the classes that the model knows, and no more are assessed. ` +
      'Train on an earlier version, or on fewer classes (the setting classes); a lower split.testPercent counts for samples that are new from then on.',
  );
}

function readShard(kind: TaskKind, body: Buffer): Assessment[] {
  const { assessed } = shardFile.parse(JSON.parse(body.toString('utf8')));
  return assessed.map((one) => kind.assessment.parse(one));
}

/** Assesses a shard in groups, of which one is in memory at a time, and keeps the assessments. */
async function assessShard(
  ports: AssessmentPorts,
  comparison: Comparison,
  shard: Sample[],
  name: string,
): Promise<Assessment[]> {
  const assessed: Assessment[] = [];
  const { candidate, champion } = comparison;
  const atOnce = groupSize(champion === null ? [candidate] : [candidate, champion]);
  for (let at = 0; at < shard.length; at += atOnce)
    assessed.push(...(await assessGroup(ports, comparison, shard.slice(at, at + atOnce))));
  const kept: z.infer<typeof shardFile> = { version: 1, assessed };
  await ports.blobs.create('models', name, JSON.stringify(kept), { contentType: 'application/json' });
  return assessed;
}

async function assessGroup(ports: AssessmentPorts, comparison: Comparison, group: Sample[]): Promise<Assessment[]> {
  const { kind, candidate, champion } = comparison;
  const inputs = await inputsOf(ports, comparison, group);
  if (inputs.length === 0) return [];
  const ofCandidate = inputs.map((input) => input.candidate);
  const sizes = inputs.map((input) => input.size);
  const candidateAnswers = await answers(ports, kind, candidate, ofCandidate, sizes).catch((error: unknown) => {
    // the bytes are at hand and were found valid: whatever fails is the model's fault, and would fail again
    if (!(error instanceof InferenceError)) throw error;
    throw new TerminalError('bad-model', `The model cannot score the test samples: ${error.message}`);
  });
  const ofChampion = inputs.map((input) => input.champion);
  const championAnswers = champion === null ? null : await answers(ports, kind, champion, ofChampion, sizes);
  return candidateAnswers.flatMap((answered, i) => {
    const input = inputs[i];
    return input === undefined ? [] : [kind.assess(input.annotation, answered, championAnswers?.[i] ?? null)];
  });
}

interface Input {
  annotation: Annotation;
  /** of the picture as shown, in pixels */
  size: { width: number; height: number };
  candidate: Float32Array;
  champion: Float32Array;
}

/**
 * What the models are given of each sample that can be read: one decode where both want the same, and no original is kept.
 * One that cannot be read is looked at again before it is set aside, as one that a job could not read is.
 */
async function inputsOf(
  ports: AssessmentPorts,
  { project, candidate, champion, setAside }: Comparison,
  group: Sample[],
): Promise<Input[]> {
  const other = champion === null || isSameSpec(candidate.image, champion.image) ? null : champion.image;
  const inputs = await pMap(
    group,
    async ({ md5, annotation, sizeBytes, width, height }) => {
      const name = storedName(project, md5);
      const read = async (bytes: Buffer): Promise<Input[]> => {
        const input = await ports.toTensor(bytes, candidate.image);
        return [
          {
            annotation,
            size: { width, height },
            candidate: input,
            champion: other === null ? input : await ports.toTensor(bytes, other),
          },
        ];
      };
      const trouble: unknown[] = [];
      const found = await withSample(ports, { name, sizeBytes }, (bytes) =>
        read(bytes).catch((error: unknown) => {
          trouble.push(error);
          return [];
        }),
      );
      if (found !== undefined && found.length > 0) return found;
      if (trouble[0] instanceof RetryLater) throw trouble[0];
      const looking = { ...ports, sampleBytes: ports.budget };
      const reason =
        (await whyUnreadable(looking, project, md5, candidate.image)) ??
        (other === null ? undefined : await whyUnreadable(looking, project, md5, other));
      if (reason === undefined) throw new RetryLater(`sample ${md5} of ${project} could not be read just now`);
      await setAside(md5, reason);
      return [];
    },
    { concurrency: readAtOnce },
  );
  return inputs.flat();
}

class InferenceError extends Error {}

/** What a model answers for each input. Rejects with an InferenceError where it cannot be run, or answers in another shape. */
async function answers(
  ports: EvaluationPorts,
  kind: TaskKind,
  model: EvaluatedModel,
  inputs: Float32Array[],
  sizes: Input['size'][],
): Promise<Answered[]> {
  const { digest, load, image, classes, metadata = {} } = model;
  const ends = kind.ends(classes, image);
  const outputs = await ports.infer(digest, load, inputs, ends).catch((error: unknown) => {
    if (error instanceof RetryLater) throw error;
    throw new InferenceError(error instanceof Error ? error.message : String(error));
  });
  const odd = outputs.map((one) => misfit(ends.outputs, one)).find((problem) => problem !== undefined);
  if (odd !== undefined) throw new InferenceError(odd);
  return sizes.map((size, i) => ({
    outputs: outputs[i] ?? {},
    classes,
    metadata,
    placement: placementOf(size, image),
  }));
}

/** A registered model as an evaluation runs it. */
export function evaluatedModel(blobs: Blobs, model: ModelDocument): EvaluatedModel {
  const { digest, classes, image, metadata = {} } = model;
  return { digest, classes, image, metadata, load: () => loadModel(blobs, model.pk, digest) };
}
