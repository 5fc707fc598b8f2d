/** Networks that are trained from scratch, on pictures as they are or made smaller. */
import { encodeModel } from '../../shared/onnx/encode.ts';
import { floatsOf, floatTensor, openGraph } from '../../shared/onnx/engine.ts';
import type { ClassifierShape } from '../../shared/task/classification/ends.ts';
import type { Architecture } from './architectures.ts';
import type { Sample } from './evaluate.ts';
import { fit, type Recipe } from './fit.ts';
import { GraphBuilder } from './graph-builder.ts';
import { averagePool } from './layers.ts';
import type { Method } from './method.ts';

/** On pictures as they are. */
export const fromScratch =
  (recipe: Recipe): Method =>
  async ({ train, validation }, shape, options) => ({
    architecture: recipe.architecture,
    fitted: await fit(train, validation, shape, recipe, options),
  });

/** Larger pictures make steps slow, for detail that small networks cannot use. */
const largestSide = 64;

/** Means of `factor` x `factor` pixels of every sample. */
async function shrink(samples: readonly Sample[], shape: ClassifierShape, factor: number): Promise<Sample[]> {
  const { channels, height, width } = shape;
  const graph = new GraphBuilder();
  const small = averagePool(graph, { name: 'input', shape: [1, channels, height, width] }, factor);
  graph.alias(small, 'small');
  const { nodes, initialisers } = graph;
  const inputs = [{ name: 'input', shape: ['N', channels, height, width] }];
  const outputs = [{ name: 'small', shape: ['N', ...small.shape.slice(1)] }];
  const session = await openGraph(
    encodeModel({ name: 'small', nodes, inputs, outputs, initialisers, metadata: {} }),
    1,
  );
  try {
    const made: Sample[] = [];
    for (const sample of samples) {
      const input = floatTensor(Float32Array.from(sample.pixels), [1, channels, height, width]);
      made.push({ ...sample, pixels: floatsOf((await session.run({ input }))['small']) });
    }
    return made;
  } finally {
    await session.release();
  }
}

/** On pictures of at most 64 pixels (more where they are narrow): larger ones are averaged down, in training and in the served model alike. */
export const fromScratchOnSmall =
  (recipe: Recipe): Method =>
  async ({ train, validation }, shape, options) => {
    const { height, width } = shape;
    // of a narrow picture a pixel is left
    const factor = Math.min(Math.ceil(Math.max(height, width) / largestSide), height, width);
    if (factor === 1) return fromScratch(recipe)({ train, validation }, shape, options);
    const [learned, unseen] = [await shrink(train, shape, factor), await shrink(validation, shape, factor)];
    const small = { ...shape, height: Math.floor(height / factor), width: Math.floor(width / factor) };
    const architecture: Architecture = (builder, pixels, classes) =>
      recipe.architecture(builder, averagePool(builder.graph, pixels, factor), classes);
    return { architecture, fitted: await fit(learned, unseen, small, recipe, options) };
  };
