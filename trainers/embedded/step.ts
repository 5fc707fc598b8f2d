/** The state of a training in progress: parameters and AdamW's moments, moved by one graph run per step. */
import { floatsOf, floatTensor, openGraph, type ExecutionProvider, type Tensor } from '../../shared/onnx/engine.ts';
import { biasCorrection } from './adamw.ts';
import type { Parameter, Weights } from './network.ts';
import type { Random } from './random.ts';

export interface Stepper {
  /** current parameters as one vector */
  parameters(): Tensor;
  weights(): Weights;
  /** One step on what else the graph takes in. Resolves with all that it gives; rejects when the loss is no longer finite. */
  step(feeds: Record<string, Tensor>, rate: number, weightDecay: number): Promise<Record<string, Tensor>>;
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

/** Starts from random weights. `training` is a graph of `encodeTraining` whose output `loss` is a number, and its parameters. */
export async function createStepper(
  { bytes, parameters }: { bytes: Uint8Array; parameters: Parameter[] },
  random: Random,
  threads: number,
  provider: ExecutionProvider,
): Promise<Stepper> {
  const session = await openGraph(bytes, threads, provider);
  const initial = initialValues(parameters, random);
  const vector = (data: Float32Array): Tensor => floatTensor(data, [data.length]);
  const moment = (): Tensor => vector(new Float32Array(initial.length));
  let state = { parameters: vector(initial), mean: moment(), square: moment() };
  let steps = 0;
  return {
    parameters: () => state.parameters,
    weights() {
      const values = floatsOf(state.parameters);
      return new Map(
        parameters.map(({ value, offset, length }) => [value.name, values.slice(offset, offset + length)]),
      );
    },
    async step(feeds, rate, weightDecay) {
      steps++;
      const outputs = await session.run({
        ...state,
        ...feeds,
        rate: floatTensor(Float32Array.of(rate * biasCorrection(steps)), []),
        decay: floatTensor(Float32Array.of(rate * weightDecay), []),
      });
      const loss = floatsOf(outputs['loss'])[0] ?? Number.NaN;
      if (!Number.isFinite(loss))
        throw new Error(`the loss is no longer a number after ${steps} steps: lower the learning rate`);
      const fresh = (name: string): Tensor => vector(floatsOf(outputs[`new:${name}`]));
      state = { parameters: fresh('parameters'), mean: fresh('mean'), square: fresh('square') };
      return outputs;
    },
    release: () => session.release(),
  };
}
