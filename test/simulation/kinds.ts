/** How people annotate pictures of each task kind in the simulation, and how its models answer. */
import { createHash } from 'node:crypto';
import type { NamedTensors } from '../../shared/onnx/ends.ts';
import type { Random } from '../random.ts';
import { answerOf } from '../shared/task/classification/answers.ts';
import type { Model, Picture } from './pictures.ts';

export interface SimulatedKind {
  /** what somebody says of a picture who reviews it */
  review(shown: Picture, random: Random): object;
  /** the outputs for the picture's number, and what it shows as a word (codeOf) and as a number */
  answer(model: Model, pixels: Float32Array): NamedTensors;
  /** what training keeps of it */
  keep(answer: NamedTensors, model: Model): object;
}

/** A word as a number. */
export const codeOf = (text: string): number => createHash('md5').update(text).digest().readUInt16BE(0);

/** A number in [0, 1) that the same model always has for the same picture. */
export const luck = (number: number, seed: number): number =>
  createHash('md5').update(`${number} ${seed}`).digest().readUInt32BE(0) / 4_294_967_296;

const numbersOf = (answer: NamedTensors, name: string): number[] => [...(answer[name]?.data ?? [])];

const classifiers: SimulatedKind = {
  review: (_shown, random) => ({ label: random.pick(['cat', 'dog']) }),
  answer({ classes, accuracy, seed }, pixels) {
    const truth = classes.findIndex((name) => codeOf(name) === pixels[1]);
    const right = luck(pixels[0] ?? 0, seed) < accuracy;
    const chosen = truth < 0 ? 0 : right ? truth : (truth + 1) % classes.length;
    return answerOf(classes.map((_, i) => (i === chosen ? 0.9 : 0.1 / (classes.length - 1))));
  },
  keep: (answer) => ({ probabilities: numbersOf(answer, 'probabilities') }),
};

/** Where the one object of a picture is, which has 16 x 16 pixels; what lies beside it is inside as well. */
const placeOf = (number: number) => ({ x: number % 5, y: 2, width: 6, height: 8 });

/** Each picture shows one object, beside which a model looks at times. */
const detectors: SimulatedKind = {
  review: ({ number, truth }) => ({ boxes: [{ class: truth, ...placeOf(number) }] }),
  answer({ classes, accuracy, seed }, pixels) {
    const number = pixels[0] ?? 0;
    const { x, y, width, height } = placeOf(number);
    const from = luck(number, seed) < accuracy ? x : x + width;
    const scores = classes.map((name) => (codeOf(name) === pixels[1] ? 0.9 : 0.05));
    return {
      boxes: { data: Float32Array.of(from, y, from + width, y + height), dims: [1, 4] },
      scores: { data: Float32Array.from(scores), dims: [1, classes.length] },
    };
  },
  keep(answer, { classes }) {
    const [x = 0, y = 0, right = 0, bottom = 0] = numbersOf(answer, 'boxes');
    const scores = numbersOf(answer, 'scores');
    const boxes = classes.flatMap((name, i) => {
      const score = scores[i] ?? 0;
      return score < 0.3 ? [] : [{ class: name, score, x, y, width: right - x, height: bottom - y }];
    });
    return { boxes };
  },
};

/** By the kind's name; whoever simulates another adds it. */
export const simulatedKinds = new Map([
  ['classification', classifiers],
  ['detection', detectors],
]);
