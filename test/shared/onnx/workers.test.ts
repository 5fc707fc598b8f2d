import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, expect, test } from 'vitest';
import { RetryLater } from '../../../shared/errors.ts';
import { encodeModel } from '../../../shared/onnx/encode.ts';
import type { NamedTensors } from '../../../shared/onnx/ends.ts';
import { createModelWorkers, Gone, type ModelWorkers } from '../../../shared/onnx/workers.ts';
import { mobileNet } from '../../bench/mobilenet.ts';
import { tinyModel } from './tiny-model.ts';

const fixtures = path.join(import.meta.dirname, '../../fixtures');
const endingProgram = path.join(fixtures, 'ending-worker.ts');
const tiny = (): Uint8Array => encodeModel(tinyModel());
const asOwner = (owner: string) => ({ owner, keepsRunMemory: true });
const input = (first = 1): NamedTensors => ({
  input: { data: Float32Array.of(first, 2, 3, 4), dims: [1, 1, 2, 2] },
});

let workers: ModelWorkers;
const started = (...options: Parameters<typeof createModelWorkers>): ModelWorkers =>
  (workers = createModelWorkers(...options));
afterEach(() => workers.close());

test('the event loop goes on while a model computes', async () => {
  const model = await started(1).load(mobileNet(224, 2), asOwner('a'));
  let turns = 0;
  let isOver = false;
  const count = (): void => {
    turns++;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  const data = new Float32Array(3 * 224 * 224);
  const outputs = await model.run({ input: { data, dims: [1, 3, 224, 224] } });
  isOver = true;
  expect(outputs['probabilities']?.dims).toEqual([1, 2]);
  // a run on this thread would have let one turn through, or two
  expect(turns).toBeGreaterThan(10);
});

test('a run that fails says what onnxruntime says, and does not keep the others from theirs', async () => {
  const model = await started(1).load(tiny(), asOwner('a'));
  const odd = { other: { data: Float32Array.of(1), dims: [1] } };
  const [failed, other] = await Promise.allSettled([model.run(odd), model.run(input())]);
  expect(failed).toMatchObject({ status: 'rejected', reason: { message: expect.stringContaining("'input'") } });
  expect(other.status).toBe('fulfilled');
});

test('inputs that were moved to a thread before are refused, and the thread goes on', async () => {
  const model = await started(1).load(tiny(), asOwner('a'));
  const inputs = input();
  await model.run(inputs);
  await expect(model.run(inputs)).rejects.toThrow(/detached|transfer/i);
  expect((await model.run(input()))['probabilities']?.data).toHaveLength(2);
});

test('what onnxruntime cannot load is told, and the thread goes on', async () => {
  started(1);
  await expect(workers.load(Buffer.from('no model'), asOwner('a'))).rejects.not.toBeInstanceOf(RetryLater);
  const model = await workers.load(tiny(), asOwner('a'));
  expect((await model.run(input()))['probabilities']?.data).toHaveLength(2);
});

test('owners take turns, and of one owner who came first is served first', async () => {
  started(1);
  const [busy, calm] = [await workers.load(tiny(), asOwner('busy')), await workers.load(tiny(), asOwner('calm'))];
  const order: string[] = [];
  const runs = Array.from({ length: 10 }, (_, i) => busy.run(input()).then(() => order.push(`busy ${i}`)));
  await calm.run(input()).then(() => order.push('calm'));
  await Promise.all(runs);
  expect(order.filter((name) => name !== 'calm')).toEqual(Array.from({ length: 10 }, (_, i) => `busy ${i}`));
  // one was running, and one more may have had its turn
  expect(order.indexOf('calm')).toBeLessThanOrEqual(2);
});

test('a model in two threads runs twice at a time', async () => {
  const model = await started(2).load(tiny(), asOwner('a'));
  const first = model.run(input());
  expect([model.copies(), model.isBusy()]).toEqual([1, true]);
  await model.copy(tiny());
  expect(model.copies()).toBe(2);
  await first;
  const [one, two] = [model.run(input()), model.run(input())];
  expect(model.isBusy()).toBe(true);
  await Promise.all([one, two]);
  await model.unload();
  expect(model.copies()).toBe(0);
  await expect(model.run(input())).rejects.toBeInstanceOf(Gone);
});

test('a thread that ends costs the run it was at a retry; the others run in the next one, which has the model again', async () => {
  started(2, endingProgram);
  const model = await workers.load(tiny(), asOwner('a'));
  await model.copy(tiny());
  const runs = [1, 666, 1, 1, 1, 1].map((first) => model.run(input(first)));
  const [, ended, ...others] = await Promise.allSettled(runs);
  expect(ended).toMatchObject({ status: 'rejected', reason: { name: 'RetryLater' } });
  expect(ended).toMatchObject({ reason: { message: expect.stringContaining('out of memory') } });
  expect(others.map(({ status }) => status)).toEqual(Array.from({ length: 4 }, () => 'fulfilled'));
  expect(model.copies()).toBe(1);
  await model.copy(tiny());
  expect((await model.run(input()))['probabilities']?.data).toHaveLength(2);
});

test('runs that wait for a model whose only thread has ended are told that it is gone', async () => {
  const model = await started(1, endingProgram).load(tiny(), asOwner('a'));
  const [ended, waiting] = await Promise.allSettled([model.run(input(666)), model.run(input())]);
  expect(ended).toMatchObject({ reason: { name: 'RetryLater' } });
  expect(waiting).toMatchObject({ status: 'rejected', reason: expect.any(Gone) });
  // nothing is left to unload, which is no error
  await model.unload();
});

test('a closed pool tells who waits to come back, and takes nobody', async () => {
  const model = await started(1).load(tiny(), asOwner('a'));
  const waiting = Promise.allSettled(Array.from({ length: 5 }, () => model.run(input())));
  await workers.close();
  for (const result of (await waiting).slice(1)) expect(result).toMatchObject({ reason: { name: 'RetryLater' } });
  await expect(model.run(input())).rejects.toBeInstanceOf(RetryLater);
});

test('of one owner so many wait, and more are told to come back', async () => {
  const model = await started(1).load(tiny(), asOwner('a'));
  const all = await Promise.allSettled(Array.from({ length: 300 }, () => model.run(input())));
  expect(all.filter(({ status }) => status === 'rejected')).toHaveLength(300 - 256 - 1);
});

test('threads that idle keep no process alive, and end with it', async () => {
  started(1);
  const { stdout } = await promisify(execFile)(process.execPath, [path.join(fixtures, 'score-and-end.ts')], {
    timeout: 30_000,
  });
  expect(JSON.parse(stdout)).toEqual([expect.any(Number), expect.any(Number)]);
});

test('a thread that cannot be started costs each who waits for it a retry, and is tried again', async () => {
  const none = started(1, 'no path of a program');
  const loads = [none.load(tiny(), asOwner('a')), none.load(tiny(), asOwner('b'))];
  for (const load of loads) await expect(load).rejects.toBeInstanceOf(RetryLater);
  await expect(none.load(tiny(), asOwner('a'))).rejects.toThrow('No thread can be started');
});
