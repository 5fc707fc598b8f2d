import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { applyEdits } from '../../../shared/dataset/edit.ts';
import { storedName } from '../../../shared/sample/content.ts';
import { treeStore } from '../../../shared/dataset/store.ts';
import {
  assessTestSplit,
  type EvaluatedModel,
  type EvaluationPorts,
  shardSize,
} from '../../../shared/evaluation/shards.ts';
import { RetryLater, TerminalError } from '../../../shared/errors.ts';
import { imagesPerRun } from '../../../shared/onnx/batch.ts';
import { classification } from '../../../shared/task/classification/classification.ts';
import type { Compared } from '../../../shared/task/classification/metrics.ts';
import { createSampleBudget } from '../../../shared/prediction/inference.ts';
import { keyOf, labelOf, sample } from '../dataset/samples.ts';
import { answerOf } from '../task/classification/answers.ts';
import { createFakes } from '../../simulation/fakes.ts';

const name = 'digits';
const image = { width: 1, height: 1, channels: 1 as const };
const classes = Array.from({ length: 10 }, (_, i) => String(i));
/** A model whose digest says by how much it is wrong, and its bytes how many classes it knows. */
const modelOf = (error: number, names = classes): EvaluatedModel => ({
  ...{ digest: `${error}`.padEnd(64, '0'), classes: names, image },
  load: () => Promise.resolve(Buffer.alloc(names.length)),
});

const silence = 'e'.repeat(64);
/** A model that has no answer for any image. */
const silent = (names: string[]): EvaluatedModel => ({ ...modelOf(0, names), digest: silence });

/** A version of many samples, each of which is its own label; a model answers label + its error. */
async function version(samples: number, testPercent: number, sizeBytes?: number) {
  const world = createFakes();
  const edits = Array.from({ length: samples }, (_, n) => ({
    key: keyOf(n),
    record: {
      ...sample(n),
      split: n % 100 < testPercent ? ('test' as const) : ('train' as const),
      ...(sizeBytes === undefined ? {} : { sizeBytes }),
    },
  }));
  const { root } = await applyEdits(treeStore(world.ports.blobs, name), null, edits, { task: 'classification' });
  for (const { record } of edits)
    if (record.split === 'test')
      await world.ports.blobs.create('datasets', storedName(name, record.md5), labelOf(record));
  let scored = 0;
  /** originals that were read and are not decoded yet, and the most of them at a time; decodes; the most images of a run */
  const memory = { held: 0, most: 0, decoded: 0, run: 0 };
  const blobs: EvaluationPorts['blobs'] = {
    ...world.ports.blobs,
    async get(container, blob, options) {
      const found = await world.ports.blobs.get(container, blob, options);
      if (container === 'datasets' && blob.includes('/files/md5/')) memory.most = Math.max(memory.most, ++memory.held);
      return found;
    },
  };
  const ports: EvaluationPorts = {
    blobs,
    sampleBytes: createSampleBudget(),
    async toTensor(bytes) {
      memory.decoded++;
      await turn();
      memory.held--;
      return Float32Array.of(Number(bytes.toString()));
    },
    async infer(digest, load, tensors) {
      memory.run = Math.max(memory.run, tensors.length);
      scored += tensors.length;
      const error = Number(digest[0]);
      const { length } = await load();
      const answer = ([label = 0]: Float32Array): number[] =>
        Array.from({ length }, (_, i) => (digest === silence ? Number.NaN : i === (label + error) % length ? 1 : 0));
      return tensors.map((input) => answerOf(answer(input)));
    },
  };
  const aside: string[] = [];
  const assessSplit = (
    candidate: EvaluatedModel,
    champion: EvaluatedModel | null,
    outOfTime = () => false,
    maxShards = 9,
  ) =>
    assessTestSplit(ports, {
      ...{ project: name, kind: classification, root: root ?? '', candidate, champion, outOfTime, maxShards },
      setAside: (md5, reason) => Promise.resolve(void aside.push(`${md5} ${reason}`)),
    });
  const assess = async (...[candidate, champion = null, ...more]: Partial<Parameters<typeof assessSplit>>) => {
    const split = await assessSplit(candidate ?? modelOf(0), champion, ...more);
    return split === 'continue' ? split : (split.assessed as Compared[]);
  };
  return { world, aside, assessSplit, assess, memory, scored: () => scored };
}

describe('assessing the test split', () => {
  test('compares candidate and champion on every test sample and on no other', async () => {
    const { assess, scored } = await version(200, 25);
    const assessed = await assess(modelOf(0), modelOf(1));
    expect(assessed).toHaveLength(50);
    for (const j of assessed === 'continue' ? [] : assessed)
      expect(j).toEqual({ truth: j.truth, candidate: j.truth, champion: (j.truth + 1) % 10 });
    expect(scored()).toBe(100);
  });

  test('in time-limited pieces gives the same, and scores nothing twice', async () => {
    const { assess, scored } = await version(shardSize * 2 + 100, 100);
    const pieces: (number | string)[] = [];
    for (let i = 0; i < 4 && pieces.at(-1) !== shardSize * 2 + 100; i++) {
      const assessed = await assess(modelOf(0), null, () => true);
      pieces.push(assessed === 'continue' ? assessed : assessed.length);
    }
    expect(pieces).toEqual(['continue', 'continue', shardSize * 2 + 100]);
    expect(scored()).toBe(shardSize * 2 + 100);
    expect(await assess(modelOf(0))).toHaveLength(shardSize * 2 + 100);
    expect(scored()).toBe(shardSize * 2 + 100);
  });

  test('asks the champion by class name: it may know others, or in another order', async () => {
    const { assess } = await version(100, 50);
    const backwards = await assess(modelOf(0), modelOf(0, [...classes].reverse()));
    for (const j of backwards === 'continue' ? [] : backwards) expect(j.champion).toBe(9 - j.truth);
    const strangers = await assess(modelOf(2), modelOf(0, ['x', 'y']));
    for (const j of strangers === 'continue' ? [] : strangers) expect(j.champion).toBe(classes.length);
  });

  test('leaves out what cannot be read, says which and why, and counts it', async () => {
    const { assessSplit, aside, world } = await version(100, 100);
    await world.ports.blobs.remove('datasets', storedName(name, sample(3).md5));
    for (let i = 0; i < 2; i++) {
      const split = await assessSplit(modelOf(0), modelOf(1));
      expect(split).toMatchObject({ unreadable: 1, assessed: expect.objectContaining({ length: 99 }) });
    }
    expect(aside).toEqual([`${sample(3).md5} its bytes are not in the store`]);
  });

  test('takes storage that does not answer, or a process that is overloaded, for no fault of a sample', async () => {
    const { assessSplit, aside, world } = await version(100, 100);
    world.before = (operation, blob) => {
      if (operation === 'blobs.get' && blob.endsWith(storedName(name, sample(3).md5))) throw new RetryLater('503');
    };
    await expect(assessSplit(modelOf(0), null)).rejects.toThrow('503');
    expect(aside).toEqual([]);
  });

  test('takes no answer for a wrong one, and not for an answer of some class', async () => {
    const { assess } = await version(100, 100);
    const assessed = await assess(silent(classes), silent(['x', 'y']));
    for (const j of assessed === 'continue' ? [] : assessed)
      expect(j).toEqual({ truth: j.truth, candidate: classes.length, champion: classes.length });
  });

  test('leaves out samples of classes that the candidate was not trained on', async () => {
    const { assess } = await version(100, 100);
    const assessed = await assess(modelOf(0, ['0', '1']));
    expect(assessed).toHaveLength(20);
  });

  test('assesses the same bytes anew when their outputs are called otherwise', async () => {
    const { assess } = await version(100, 100);
    const right = await assess(modelOf(0));
    const renamed = await assess(modelOf(0, [...classes].reverse()));
    expect(right === 'continue' ? [] : right.filter((j) => j.truth === j.candidate)).toHaveLength(100);
    expect(renamed === 'continue' ? [] : renamed.filter((j) => j.truth === j.candidate)).toHaveLength(0);
  });

  test('holds a few originals at a time, and as many inputs as a model runs at once', async () => {
    const { assess, memory } = await version(shardSize + 100, 100);
    expect(await assess(modelOf(0), modelOf(1))).toHaveLength(shardSize + 100);
    expect(memory.most).toBeLessThanOrEqual(8);
    expect(memory.run).toBe(imagesPerRun(image));
    // both want the same image
    expect(memory.decoded).toBe(shardSize + 100);
  });

  test('holds eight inputs at a time of models that take in so much that they run fewer at once', async () => {
    const { assess, memory } = await version(40, 100);
    const large = { width: 512, height: 512, channels: 3 as const };
    expect(imagesPerRun(large)).toBeLessThan(8);
    expect(await assess(modelOf(0), { ...modelOf(1), image: large })).toHaveLength(40);
    expect(memory.run).toBe(8);
  });

  test('holds no more bytes of originals than the largest has, in all evaluations of a process', async () => {
    const { assess, memory } = await version(40, 100, 30 * 1024 * 1024);
    await Promise.all([assess(modelOf(0)), assess(modelOf(1))]);
    expect(memory.most).toBe(2);
  });

  test('ends for good, saying why, when there are more samples than are assessed', async () => {
    const { assess } = await version(shardSize * 2 + 1, 100);
    const assessing = assess(modelOf(0), null, () => false, 2);
    await expect(assessing).rejects.toBeInstanceOf(TerminalError);
    await expect(assessing).rejects.toMatchObject({ code: 'too-many-test-samples' });
    await expect(assessing).rejects.toThrow(
      /^This version has more than 1000 test samples .* Train on an earlier version/,
    );
    expect(await assess(modelOf(0), null, () => false, 3)).toHaveLength(shardSize * 2 + 1);
  });

  test('waits for a sample that cannot be read now', async () => {
    const { assess, world } = await version(10, 100);
    world.before = (operation, blob) => {
      if (operation === 'blobs.get' && blob.includes('/files/md5/')) throw new Error('503');
    };
    await expect(assess(modelOf(0))).rejects.toThrow('503');
  });
});
