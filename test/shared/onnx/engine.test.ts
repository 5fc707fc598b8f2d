import { expect, test } from 'vitest';
import { encodeModel } from '../../../shared/onnx/encode.ts';
import { floatTensor, openGraph } from '../../../shared/onnx/engine.ts';
import { tinyModel } from './tiny-model.ts';

test('runs that are due at once run in a turn of the event loop each, of whichever model', async () => {
  const models = await Promise.all([0, 1].map((bias) => openGraph(encodeModel(tinyModel(bias)), 1)));
  const input = floatTensor(Float32Array.of(1, 2, 3, 4), [1, 1, 2, 2]);
  let turns = 0;
  let isOver = false;
  const count = (): void => {
    turns++;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  const ten = [...models, ...models, ...models, ...models, ...models];
  const inTurn = await Promise.all(ten.map((model) => model.run({ input }).then(() => turns)));
  isOver = true;
  expect(new Set(inTurn).size).toBe(10);
  await Promise.all(models.map((model) => model.release()));
});

test('a run that fails does not keep the others from theirs', async () => {
  const model = await openGraph(encodeModel(tinyModel(0)), 1);
  const input = floatTensor(Float32Array.of(1, 2, 3, 4), [1, 1, 2, 2]);
  const [failed, other] = await Promise.allSettled([model.run({ other: input }), model.run({ input })]);
  expect([failed.status, other.status]).toEqual(['rejected', 'fulfilled']);
  await model.release();
});
