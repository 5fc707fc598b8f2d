/** What a classifier takes in and answers: a picture, and how probable each class is. */
import { isWithin, type InputShape, type ModelEnds, type OutputEnd, type NamedTensors } from '../../onnx/ends.ts';

/** The picture that a classifier takes in, and how many classes it tells apart. */
export interface ClassifierShape extends InputShape {
  classes: number;
}

const probabilities: Omit<OutputEnd, 'shape'> = {
  name: 'probabilities',
  are: 'probabilities',
  range: { least: 0, most: 1 },
  sum: 1,
  // float16 and the last digits of large softmaxes; a model without a softmax is off by more than that
  tolerance: 1e-2,
  advice: 'one number for each class, and a Softmax at the end',
  repair: 'add a Softmax over the classes at the end of the model',
};

/** The name of the optional output below. */
export const embeddingOutput = 'embedding';

/** What a classifier saw in a picture before it decided: near for pictures that show the like. */
const embedding: OutputEnd = {
  name: embeddingOutput,
  shape: ['size'],
  mostChosen: 4096,
  are: 'embeddings',
  advice: 'a row of at most 4,096 numbers for each picture',
  repair: 'look for a division by zero, or weights that diverged',
};

/** The ends of a classifier of that shape. */
export const classifierEnds = ({ channels, height, width, classes }: ClassifierShape): ModelEnds => ({
  input: { channels, height, width },
  outputs: [{ ...probabilities, shape: [classes] }],
  optional: [embedding],
});

/**
 * How probable each class is, in their order; null where the numbers are no probabilities (not-a-number, say). Throws an
 * Error where there are not as many as classes.
 */
export function probabilitiesOf(outputs: NamedTensors, classes: number): Float32Array | null {
  const row = outputs['probabilities']?.data ?? new Float32Array();
  if (row.length !== classes)
    throw new Error(`the model gave ${row.length} numbers for an image of ${classes} classes`);
  return isWithin(probabilities, row) ? row : null;
}
