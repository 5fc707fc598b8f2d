/** What a classifier takes in and answers: a picture, and how probable each class is. */
import { type InputShape, type ModelEnds, type NamedTensors } from '../../onnx/ends.ts';
/** The picture that a classifier takes in, and how many classes it tells apart. */
export interface ClassifierShape extends InputShape {
  classes: number;
}
/** The ends of a classifier of that shape. */
export declare const classifierEnds: ({ channels, height, width, classes }: ClassifierShape) => ModelEnds;
/**
 * How probable each class is, in their order; null where the numbers are no probabilities (not-a-number, say). Throws an
 * Error where there are not as many as classes.
 */
export declare function probabilitiesOf(outputs: NamedTensors, classes: number): Float32Array | null;
