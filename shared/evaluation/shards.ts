/**
 * Scoring the test split in shards: each shard's judgements are one blob, so that a large test split
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
import { digestOf } from '../digest.ts';
import type { Blobs } from '../ports.ts';
import { loadModel } from '../model/artifact.ts';
import type { Budget } from '../budget.ts';
import { best, createSampleBudget, type Inference, withSample } from '../prediction/inference.ts';
import type { Judged } from '../task/classification/metrics.ts';

export const shardSize = 500;
const defaultMaxShards = 2000;
/** test samples of a version that a model is judged on */
export const maxTestSamples = defaultMaxShards * shardSize;
/** Most samples whose inputs are in memory at a time: as many as a model runs at once (shared/onnx/batch.ts). */
export const groupSize = 32;
const readAtOnce = 8;

/** [truth, candidate, champion or -1] */
const shardFile = z.array(z.tuple([z.number().int(), z.number().int(), z.number().int()])).max(shardSize);

export interface Contender {
  digest: string;
  classes: string[];
  image: RunDocument['image'];
  load: () => Promise<Buffer>;
}

export interface EvaluationPorts extends Inference {
  blobs: Blobs;
}

interface JudgingPorts extends EvaluationPorts {
  budget: Budget;
}

interface Contenders {
  project: string;
  candidate: Contender;
  champion: Contender | null;
  /** Takes a sample that cannot be read out of the dataset: it is not judged. Called before what was judged is kept. */
  setAside: (md5: string, reason: string) => Promise<void>;
}

/** What was judged of a test split, and how many samples of it could not be read. */
export interface JudgedSplit {
  judged: Judged[];
  unreadable: number;
}

type Sample = Pick<SampleRecord, 'md5' | 'sizeBytes'> & { label: string };

/**
 * Judges every test sample of a version that can be read. `outOfTime` is asked between shards; when it says yes the result is
 * 'continue' and the next call goes on where this one stopped. Throws a TerminalError when there are more than `maxShards`
 * of them, or when the candidate cannot be run.
 */
export async function judgeTestSplit(
  ports: EvaluationPorts,
  input: Contenders & { root: string; outOfTime: () => boolean; maxShards?: number },
): Promise<JudgedSplit | 'continue'> {
  const { project, root, candidate, champion, maxShards = defaultMaxShards } = input;
  // the same bytes under other class names answer otherwise
  const classNames = digestOf(8, ...candidate.classes);
  const contenders = `${candidate.digest.slice(0, 32)}-${champion?.digest.slice(0, 32) ?? 'none'}-${classNames}`;
  const prefix = `${project}/evaluations/${root.slice(0, 32)}/${contenders}`;
  const judged: Judged[] = [];
  const judging = { ...ports, budget: ports.sampleBytes ?? createSampleBudget() };
  let shard: Sample[] = [];
  let number = 0;
  let fresh = 0;
  let samples = 0;
  const flush = async (): Promise<boolean> => {
    if (shard.length === 0) return true;
    if (number >= maxShards) throw tooMany(maxShards * shardSize);
    const name = `${prefix}/${String(number++).padStart(5, '0')}.json`;
    const known = await ports.blobs.get('models', name, { maxBytes: 1024 * 1024 });
    if (known !== undefined && known !== 'too-large') judged.push(...readShard(known.body));
    // one at least, or shards that are only read would use up the time of every call
    else if (fresh++ > 0 && input.outOfTime()) return false;
    else judged.push(...(await judgeShard(judging, input, shard, name)));
    shard = [];
    return true;
  };
  const classes = new Set(candidate.classes);
  for await (const { record } of entries(treeStore(ports.blobs, project), root, { split: 'test' })) {
    const { label } = record.annotation as { label: string };
    if (!classes.has(label)) continue;
    samples++;
    shard.push({ md5: record.md5, label, sizeBytes: record.sizeBytes });
    if (shard.length === shardSize && !(await flush())) return 'continue';
  }
  return (await flush()) ? { judged, unreadable: samples - judged.length } : 'continue';
}

function tooMany(most: number): TerminalError {
  return new TerminalError(
    'too-many-test-samples',
    `This version has more than ${most} test samples of the classes that the model knows, and no more are judged. ` +
      'Train on an earlier version, or on fewer classes (the setting classes); a lower split.testPercent counts for samples that are new from then on.',
  );
}

function readShard(body: Buffer): Judged[] {
  const rows = shardFile.parse(JSON.parse(body.toString('utf8')));
  return rows.map(([truth, candidate, champion]) => ({ truth, candidate, champion: champion < 0 ? null : champion }));
}

/** Judges a shard in groups, of which one is in memory at a time, and keeps the judgements. */
async function judgeShard(ports: JudgingPorts, input: Contenders, shard: Sample[], name: string): Promise<Judged[]> {
  const judged: Judged[] = [];
  for (let at = 0; at < shard.length; at += groupSize)
    judged.push(...(await judgeGroup(ports, input, shard.slice(at, at + groupSize))));
  const rows = judged.map((j) => [j.truth, j.candidate, j.champion ?? -1]);
  await ports.blobs.create('models', name, JSON.stringify(rows), { contentType: 'application/json' });
  return judged;
}

async function judgeGroup(ports: JudgingPorts, contenders: Contenders, group: Sample[]): Promise<Judged[]> {
  const { candidate, champion } = contenders;
  const inputs = await inputsOf(ports, contenders, group);
  if (inputs.length === 0) return [];
  const ofCandidate = inputs.map((input) => input.candidate);
  const candidateAnswers = await answers(ports, candidate, ofCandidate).catch((error: unknown) => {
    // the bytes are at hand and were found valid: whatever fails is the model's fault, and would fail again
    if (!(error instanceof InferenceError)) throw error;
    throw new TerminalError('bad-model', `The model cannot score the test samples: ${error.message}`);
  });
  const ofChampion = inputs.map((input) => input.champion);
  const championAnswers = champion === null ? null : await answers(ports, champion, ofChampion);
  // the champion may know other classes: its answer is compared by name. No class of these is one more than there are
  const indexOf = (answer: string | undefined): number => {
    const index = candidate.classes.indexOf(answer ?? '');
    return index === -1 ? candidate.classes.length : index;
  };
  return inputs.map(({ label }, i) => ({
    truth: candidate.classes.indexOf(label),
    candidate: indexOf(candidateAnswers[i]),
    champion: championAnswers === null ? null : indexOf(championAnswers[i]),
  }));
}

interface Input {
  label: string;
  candidate: Float32Array;
  champion: Float32Array;
}

/**
 * What the models are given of each sample that can be read: one decode where both want the same, and no original is kept.
 * One that cannot be read is looked at again before it is set aside, as one that a job could not read is.
 */
async function inputsOf(
  ports: JudgingPorts,
  { project, candidate, champion, setAside }: Contenders,
  group: Sample[],
): Promise<Input[]> {
  const other = champion === null || isSameSpec(candidate.image, champion.image) ? null : champion.image;
  const inputs = await pMap(
    group,
    async ({ md5, label, sizeBytes }) => {
      const name = storedName(project, md5);
      const read = async (bytes: Buffer): Promise<Input[]> => {
        const input = await ports.toTensor(bytes, candidate.image);
        return [{ label, candidate: input, champion: other === null ? input : await ports.toTensor(bytes, other) }];
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

/** The class that a model answers for each input; undefined where it has none, which is wrong whatever is right. */
async function answers(
  ports: EvaluationPorts,
  model: Contender,
  tensors: Float32Array[],
): Promise<(string | undefined)[]> {
  const spec = { ...model.image, classes: model.classes.length };
  const { probabilities } = await ports.infer(model.digest, model.load, tensors, spec).catch((error: unknown) => {
    if (error instanceof RetryLater) throw error;
    throw new InferenceError(error instanceof Error ? error.message : String(error));
  });
  return probabilities.map((row) => (row === null ? undefined : model.classes[best(row)]));
}

/** A registered model as a contender. */
export function contender(blobs: Blobs, model: ModelDocument): Contender {
  const { digest, classes, image } = model;
  return { digest, classes, image, load: () => loadModel(blobs, model.pk, digest) };
}
