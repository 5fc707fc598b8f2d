import { expect, test } from 'vitest';
import { floatTensor, openGraph } from '../../../../shared/onnx/engine.ts';
import { backbone } from '../../../../shared/onnx/backbone.ts';
import { mapSizeOf, trainingGraph } from '../../../../trainers/embedded/detection/graphs.ts';
import { mapNames, mapShape, type Standards } from '../../../../trainers/embedded/detection/head.ts';
import { emptyTargets, writeTargets } from '../../../../trainers/embedded/detection/targets.ts';
import { createRandom } from '../../../../trainers/embedded/random.ts';
import { checksEach, gradientErrors } from '../gradient-errors.ts';

test("gradients of the detection head's loss agree with finite differences", async () => {
  const input = { channels: 3, height: 64, width: 96 };
  const classes = ['cat', 'dog', 'owl'];
  const size = mapSizeOf(input);
  const batch = 2;
  const random = createRandom(3);
  const noise = (length: number): Float32Array => new Float32Array(length).map(() => random.normal());
  const standards = Object.fromEntries(
    mapNames.map((name) => {
      const { channels } = backbone.maps[name];
      return [name, { shift: noise(channels), scale: noise(channels).map(() => 0.5 + random.next()) }];
    }),
  ) as Standards;
  const { bytes, parameters } = trainingGraph({ input, classes, width: 8, standards }, batch, 'gradients');
  const session = await openGraph(bytes, 1);
  const targets = emptyTargets(batch, classes.length, size);
  const box = { label: 1, x1: 10, y1: 12, x2: 50, y2: 30, ignored: false };
  writeTargets(targets, 0, [box, { ...box, label: 2, x1: 60, x2: 90 }], classes.length, size);
  writeTargets(targets, 1, [{ ...box, ignored: true }], classes.length, size);
  const places = (data: Float32Array, channels: number) =>
    floatTensor(data, [batch, channels, size.rows, size.columns]);
  const maps = Object.fromEntries(
    mapNames.map((name) => {
      const shape = mapShape(name, batch, size);
      return [name, floatTensor(noise(shape.reduce((product, dim) => product * dim, 1)), shape)];
    }),
  );
  const vector = new Float32Array(parameters.reduce((sum, { length }) => sum + length, 0));
  for (const { offset, length, deviation, centre } of parameters)
    for (let i = offset; i < offset + length; i++) vector[i] = centre / 3 + (deviation || 0.1) * random.normal();
  const run = () =>
    session.run({
      ...maps,
      centres: places(targets.centres, classes.length),
      elsewhere: places(targets.elsewhere, classes.length),
      box: places(targets.box, 4),
      boxWeight: places(targets.boxWeight, 1),
      heatShare: floatTensor(Float32Array.of(0.5), []),
      boxShare: floatTensor(Float32Array.of(0.2), []),
      parameters: floatTensor(vector, [vector.length]),
    });
  const errors = await gradientErrors(run, vector, parameters, { random, step: 2e-3 });
  await session.release();
  expect(errors).toHaveLength(14 * checksEach);
  // float32, and the kinks of ReLU and smooth L1, leave a few per cent on single weights
  expect(errors[Math.floor(errors.length * 0.9)]).toBeLessThan(0.02);
  expect(errors.at(-1)).toBeLessThan(0.15);
});
