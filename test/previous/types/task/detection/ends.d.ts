/** What a detector takes in and answers: a picture, places in it, and how sure it is that each shows an object of each class. */
import type { InputShape, ModelEnds } from '../../onnx/ends.ts';
/** Places that a model answers for in one picture; one that looks at more keeps the best of them (TopK). */
export declare const maxPlaces = 30000;
/** The ends of a detector of so many classes. */
export declare const detectorEnds: (classes: number, { channels, height, width }: InputShape) => ModelEnds;
