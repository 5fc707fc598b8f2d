/** The state of a training in progress: parameters and AdamW's moments, moved by one graph run per step. */
import { floatsOf, floatTensor, openGraph, type ExecutionProvider, type Tensor } from '../../shared/onnx/engine.ts';
import type { ClassifierShape } from '../../shared/task/classification/ends.ts';
import { biasCorrection } from './adamw.ts';
import type { Architecture } from './architectures.ts';
import { trainingGraph } from './graphs.ts';
import type { Parameter, Weights } from './network.ts';
import type { Random } from './random.ts';

export interface Stepper {
  batchNorms: string[];
  /** current parameters as one vector */
  parameters(): Tensor;
  weights(): Weights;
  /** One step; `pixels` and `targets` fill a batch. Rejects when the loss is no longer finite. */
  step(
    pixels: Float32Array,
    targets: Float32Array,
    rate: number,
    weightDecay: number,
  ): Promise<{ loss: number; probabilities: Float32Array }>;
  release(): Promise<void>;
}

function initialValues(parameters: Parameter[], random: Random): Float32Array {
  const last = parameters.at(-1);
  const vector = new Float32Array(last === undefined ? 0 : last.offset + last.length);
  for (const { offset, length, centre, deviation } of parameters) {
    for (let i = offset; i < offset + length; i++)
      vector[i] = centre + (deviation === 0 ? 0 : deviation * random.normal());
  }
  return vector;
}

/** Starts from random weights. Steps take batches of exactly `batch` images. */
export async function createStepper(
  architecture: Architecture,
  spec: ClassifierShape,
  batch: number,
  random: Random,
  threads: number,
  provider: ExecutionProvider,
): Promise<Stepper> {
  const { bytes, parameters, batchNorms } = trainingGraph(architecture, spec, batch);
  const session = await openGraph(bytes, threads, provider);
  const initial = initialValues(parameters, random);
  const vector = (data: Float32Array): Tensor => floatTensor(data, [data.length]);
  const moment = (): Tensor => vector(new Float32Array(initial.length));
  let state = { parameters: vector(initial), mean: moment(), square: moment() };
  const pixelShape = [batch, spec.channels, spec.height, spec.width];
  let steps = 0;
  return {
    batchNorms,
    parameters: () => state.parameters,
    weights() {
      const values = floatsOf(state.parameters);
      return new Map(
        parameters.map(({ value, offset, length }) => [value.name, values.slice(offset, offset + length)]),
      );
    },
    async step(pixels, targets, rate, weightDecay) {
      steps++;
      const outputs = await session.run({
        ...state,
        pixels: floatTensor(pixels, pixelShape),
        targets: floatTensor(targets, [batch, spec.classes]),
        rate: floatTensor(Float32Array.of(rate * biasCorrection(steps)), []),
        decay: floatTensor(Float32Array.of(rate * weightDecay), []),
      });
      const loss = floatsOf(outputs['loss'])[0] ?? Number.NaN;
      if (!Number.isFinite(loss))
        throw new Error(`the loss is no longer a number after ${steps} steps: lower the learning rate`);
      const fresh = (name: string): Tensor => vector(floatsOf(outputs[`new:${name}`]));
      state = { parameters: fresh('parameters'), mean: fresh('mean'), square: fresh('square') };
      return { loss, probabilities: floatsOf(outputs['probabilities']) };
    },
    release: () => session.release(),
  };
}
