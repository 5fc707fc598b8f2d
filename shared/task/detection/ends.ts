/** What a detector takes in and answers: a picture, places in it, and how sure it is that each shows an object of each class. */
import type { InputShape, ModelEnds } from '../../onnx/ends.ts';

/** Places that a model answers for in one picture; one that looks at more keeps the best of them (TopK). */
export const maxPlaces = 30_000;

/** The ends of a detector of so many classes. */
export const detectorEnds = (classes: number, { channels, height, width }: InputShape): ModelEnds => ({
  input: { channels, height, width },
  outputs: [
    {
      ...{ name: 'boxes', shape: ['K', 4], mostChosen: maxPlaces, are: 'coordinates' },
      advice: 'x1, y1, x2, y2 of each of K places in pixels of the input',
      repair: 'decode the boxes inside the model, to pixels of the input',
    },
    {
      ...{ name: 'scores', shape: ['K', classes], are: 'scores', range: { least: 0, most: 1 }, tolerance: 1e-3 },
      advice: 'a score of each of the K places for each class, without one for the background, and no NMS',
      repair: 'add a Sigmoid, or a Softmax whose background is cut off, at the end of the model',
    },
  ],
});
