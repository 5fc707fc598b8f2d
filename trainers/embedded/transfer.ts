/** Classifiers on fixed features: their heads are trained, and nothing below. */
import type { ClassifierShape } from '../../shared/task/classification/ends.ts';
import type { Architecture } from './architectures.ts';
import { accuracyAndLoss, type Sample } from './evaluate.ts';
import { type FeatureOptions, type Features, type FeatureTable, openFeatures } from './features.ts';
import { fit, type Epoch, type Recipe } from './fit.ts';
import { flatten, relu } from './layers.ts';
import { centre, fitLogistic, foldCentring, measure, predict, type Rows } from './logistic.ts';
import type { Method, MethodOptions, Samples, Trained } from './method.ts';

/** Opens the table of some features, hands it on, and closes it. */
export async function withFeatures<T>(
  features: Features,
  shape: ClassifierShape,
  options: FeatureOptions,
  use: (table: FeatureTable) => Promise<T>,
): Promise<T> {
  const table = await openFeatures(features, shape, options);
  try {
    return await use(table);
  } finally {
    await table.release();
  }
}

/** Trains a linear head on the features of a table, to its one best place. */
export async function trainLinear(
  features: Features,
  table: FeatureTable,
  { train, validation }: Samples,
  { classes }: ClassifierShape,
  strength: number,
  options: MethodOptions,
): Promise<Trained> {
  const [rows, others] = [await table.rowsOf(train), await table.rowsOf(validation)];
  let steps = 0;
  const weights = await fitLogistic(await table.rowsWithCopiesOf(train), classes, strength, {
    threads: options.threads,
    afterStep: () => options.afterStep(++steps, steps),
  });
  const probabilities = predict(weights, others, classes);
  const learned = accuracyAndLoss(predict(weights, rows, classes), train, classes);
  const unseen = accuracyAndLoss(probabilities, validation, classes);
  const chosen: Epoch = {
    epoch: 1,
    loss: learned.loss,
    trainAccuracy: learned.accuracy,
    validationLoss: unseen.loss,
    validationAccuracy: unseen.accuracy,
  };
  await options.afterEpoch(chosen);
  const architecture: Architecture = (builder, pixels, count) =>
    builder.dense(features.describe(builder.graph, pixels), 'head', count, 0);
  const { outputs, metadata } = features;
  return { architecture, fitted: { weights, chosen, history: [chosen], probabilities }, outputs, metadata };
}

/** A linear head: L2-regularised multinomial logistic regression. */
export const linearOn =
  (features: Features, strength: number): Method =>
  (samples, shape, options) =>
    withFeatures(features, shape, options, (table) => trainLinear(features, table, samples, shape, strength, options));

const hiddenLayers =
  (units: number): ((...of: Parameters<Architecture>) => ReturnType<Architecture>) =>
  (builder, row, classes) =>
    builder.dense(relu(builder.graph, builder.dense(row, 'hidden', units, 1)), 'head', classes, 0.25);

/** Rows as pictures of one pixel, which `fit` trains on. */
const asSamples = ({ values, size, labels }: Rows): Sample[] =>
  labels.map((label, i) => ({ label, pixels: values.subarray(i * size, (i + 1) * size) }));

/** A head with one hidden layer of `units`, trained by steps like a network. */
export const hiddenOn =
  (features: Features, units: number): Method =>
  (samples, shape, options) =>
    withFeatures(features, shape, options, async (table) => {
      const [rows, others] = [await table.rowsOf(samples.train), await table.rowsOf(samples.validation)];
      const centring = measure(rows);
      const layers = hiddenLayers(units);
      const recipe: Recipe = {
        architecture: (builder, pixels, classes) => layers(builder, flatten(builder.graph, pixels), classes),
        ...{ epochs: 40, batchSize: 32, learningRate: 0.003, weightDecay: 0.05, labelSmoothing: 0.1, patience: 10 },
        augmentation: { shift: 0, scale: 0, rotation: 0, flip: false },
      };
      // a length of 1, as a linear head has them, would have the first layer start at next to nothing
      const unit = { ...centring, scale: centring.scale / Math.sqrt(rows.size) };
      const [learned, unseen] = [asSamples(centre(rows, unit)), asSamples(centre(others, unit))];
      const spec = { channels: rows.size, height: 1, width: 1, classes: shape.classes };
      const fitted = await fit(learned, unseen, spec, recipe, options);
      const architecture: Architecture = (builder, pixels, classes) =>
        layers(builder, features.describe(builder.graph, pixels), classes);
      const { outputs, metadata } = features;
      return {
        architecture,
        fitted: { ...fitted, weights: foldCentring(fitted.weights, 'hidden', unit) },
        outputs,
        metadata,
      };
    });
