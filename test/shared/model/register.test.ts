import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ModelDocument } from '../../../shared/model/document.ts';
import { approved } from '../../../shared/model/messages.ts';
import { loadModel, maxModelBytes, modelBlob } from '../../../shared/model/artifact.ts';
import { modelId, registerModel } from '../../../shared/model/register.ts';
import { maxClasses } from '../../../shared/names.ts';
import { maxSmokeSamples, smokeFile } from '../../../shared/training/job-contract.ts';
import { createFakes } from '../../simulation/fakes.ts';

const image = { width: 8, height: 8, channels: 1 } as const;
const model = (digest: string, classes = ['a', 'b']): Omit<ModelDocument, 'id' | 'number'> =>
  ({ pk: 'digits', state: 'approved', digest, classes, image }) as ModelDocument;

describe('registering models', () => {
  test('numbers them from 1, and equal bytes are the model they were', async () => {
    const { documents } = createFakes().ports;
    const numbers: number[] = [];
    for (const digest of ['a', 'b', 'a', 'c', 'b'])
      numbers.push((await registerModel(documents, model(digest))).number);
    expect(numbers).toEqual([1, 2, 1, 3, 2]);
  });

  test('takes equal bytes of other classes, or in another order, for another model', async () => {
    const { documents } = createFakes().ports;
    const numbers: number[] = [];
    for (const classes of [
      ['a', 'b'],
      ['b', 'a'],
      ['a', 'b'],
      ['b', 'a'],
    ])
      numbers.push((await registerModel(documents, model('same', classes))).number);
    expect(numbers).toEqual([1, 2, 1, 2]);
  });

  test('at the same time leaves no gap, no number twice and no bytes twice', async () => {
    const digests = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), digests, async (scheduler, asked) => {
        const world = createFakes();
        world.before = async (operation) => void (await scheduler.schedule(Promise.resolve(operation)));
        const made = Promise.all(asked.map((digest) => registerModel(world.ports.documents, model(digest))));
        await scheduler.waitFor(made);
        for (const [i, document] of (await made).entries()) expect(document.digest).toBe(asked[i]);
        const all = world.all('models');
        expect(all.map((m) => m.number).sort((a, b) => a - b)).toEqual(all.map((_, i) => i + 1));
        expect(all.map((m) => m.digest).sort()).toEqual([...new Set(asked)].sort());
      }),
      { numRuns: 200 },
    );
  });

  test('sorts by id as by number', () => {
    expect([modelId(2), modelId(10)].sort()).toEqual(['00000002', '00000010']);
  });
});

test('an approval asks for the same deployment however often it is composed', () => {
  const asked = approved('digits', 3, 'd-t1', { id: 'run' });
  expect(asked).toEqual(approved('digits', 3, 'd-t1', { id: 'run' }));
  expect(asked).toMatchObject({ queue: 'deployments', message: { data: { model: 3, deployment: 'd-t1' } } });
});

test('an artifact lies under its digest; one that cannot be read now is tried again', async () => {
  const { blobs } = createFakes().ports;
  expect(modelBlob('digits', 'abc')).toBe('digits/abc.onnx');
  await blobs.create('models', modelBlob('digits', 'abc'), 'bytes');
  expect((await loadModel(blobs, 'digits', 'abc')).toString()).toBe('bytes');
  await expect(loadModel(blobs, 'digits', 'other')).rejects.toMatchObject({ name: 'RetryLater' });
  await blobs.create('models', modelBlob('digits', 'large'), Buffer.alloc(maxModelBytes + 1));
  await expect(loadModel(blobs, 'digits', 'large')).rejects.toMatchObject({ name: 'RetryLater' });
});

test('the document of a model with as many classes as there may be fits into the 2 MB of one', () => {
  const classes = Array.from({ length: maxClasses }, (_, n) => `${n}`.padEnd(100, '\u{3042}'));
  const shares = Array.from({ length: maxClasses }, (_, n) => 1 / (n + 3));
  const reasons = [`failed: below: ${classes.map((c) => `"${c}" 12.3 %`).join(', ')}`];
  const document = {
    ...model('a'),
    ...{ id: modelId(1), number: 1, classes },
    metrics: {
      ...{
        accuracy: 0.123456789,
        samples: 1e6,
        recall: Object.fromEntries(classes.map((c, i) => [c, shares[i] ?? 0])),
      },
      confusion: classes.map(() => classes.map(() => 88)),
    },
    verdict: { decision: 'rejected', reasons },
    smoke: smokeFile.parse(
      Array.from({ length: maxSmokeSamples }, () => ({ md5: 'a'.repeat(32), probabilities: shares })),
    ),
  };
  expect(Buffer.byteLength(JSON.stringify(document))).toBeLessThan(2 * 1024 * 1024 - 50_000);
});
