/** What a task kind knows of models: what they take in and answer, how good they are, and what the API shows of it. */
import type * as z from 'zod';
import type { VersionSummary } from '../dataset/document.ts';
import type { LabelledRectangle } from '../image/draw.ts';
import type { Fit, Placement } from '../image/placement.ts';
import type { InputBounds } from '../image/size.ts';
import type { InputShape, ModelEnds, NamedTensors } from '../onnx/ends.ts';
import type { KindExamples } from './examples.ts';
import type { Annotation } from './task.ts';
import type { Verdict } from './verdict.ts';

/** What a model says a picture shows: an object of JSON, kept with the prediction. */
export type Prediction = object;

/** How a candidate, and the champion beside it, did on one test sample: small JSON, of which an evaluation keeps a million. */
export type Assessment = object;

/** How good a model is on the test samples of a version: an object of JSON, kept with the model. */
export type Metrics = object;

/** What a job kept of a validation sample: the trained model's answer, in the form of the kind. */
export type KeptAnswer = { md5: string };

/** What a model answered for one picture. */
export interface Answered {
  outputs: NamedTensors;
  /** that the model knows, in the order of its outputs */
  classes: readonly string[];
  /** what the model says of itself, as its kind reads it */
  metadata: object;
  /** where the picture lay in the model's input: the way back from places in it */
  placement: Placement;
}

/** An evaluation of a candidate whose test samples are all assessed. */
export interface Evaluation<S extends Assessment = Assessment> {
  assessed: readonly S[];
  /** test samples that nobody can read */
  unreadable: number;
  classes: readonly string[];
  version: Pick<VersionSummary, 'byClass' | 'bySplit'>;
  /** the project's setting `gate` */
  gate: object;
  champion: { number: number; classes: readonly string[] } | null;
}

/** The part of a task kind that is about models, of which `A` are the annotations. */
export interface ModelKind<A extends Annotation = Annotation> {
  /** parameters of the trainers of this repository, by the trainer's name */
  readonly trainers: Readonly<Record<string, z.ZodObject>>;
  /** settings whose meaning is the kind's */
  readonly settings: {
    /** names of the classes; none, where it is left out: those that are seen at commit */
    readonly classes: z.ZodType<string[], string[]>;
    /** the trainer of a project that names none */
    readonly trainer: string;
    /** rules of the gate */
    readonly gate: z.ZodObject;
  };
  /** how a picture fills the input of the kind's models */
  readonly fit: Fit;
  /** within what the input of a project that names none follows from its pictures, for models of a trainer of that name */
  inputSize(trainer: string): InputBounds;
  /** what a model of these classes takes in and answers */
  ends(classes: readonly string[], input: InputShape): ModelEnds;
  /** what a model says of itself in `metadata_props`, as far as answers are read by it; kept with the model */
  readonly metadata: z.ZodType<object>;
  /** what outputs mean; null: nothing (not-a-number, say), which is no answer. Throws an Error where outputs are missing */
  decode(answered: Answered): Prediction | null;
  /** why `decode` gives null, as the end of a sentence */
  readonly noAnswer: string;
  /** how unsure a model is of a prediction: 0, not at all, to 1 */
  uncertainty(prediction: Prediction): number;
  /** compares what a test sample shows with what candidate and champion answered */
  assess(annotation: A, candidate: Answered, champion: Answered | null): Assessment;
  /** an assessment as it is kept */
  readonly assessment: z.ZodType<Assessment>;
  /** how good the candidate is, and what the gate says of it */
  evaluate(evaluation: Evaluation): { metrics: Metrics; verdict: Verdict };
  /** what a job keeps of a validation sample for the smoke test of deployments, beside its md5; messages follow `smoke.json ` */
  keptAnswer(classes: readonly string[]): z.ZodType<object>;
  /** the same in words, for whoever wrote another: `2 probabilities, one for each class` */
  sayKeptAnswer(classes: readonly string[]): string;
  /** how a served model departs from what training kept, as the end of a sentence; undefined: they agree */
  departs(kept: KeptAnswer, served: Answered): string | undefined;
  /** predictions as rows of a table, the cells of each beside its columns; left out: they are none */
  readonly table?: {
    columns(classes: readonly string[]): string[];
    cells(prediction: Prediction | null, classes: readonly string[]): (string | number)[];
  };
  /** how programs of other languages read a model's answer */
  readonly examples: KindExamples;
  readonly views: KindViews;
}

/** What the API shows of a kind's JSON; views.ts has the schemas. */
interface KindViews {
  /** null: the model had no answer */
  prediction(prediction: Prediction | null): object;
  /** the same on the picture itself, the most important first; missing: predictions of this kind lie nowhere in it */
  drawing?(prediction: Prediction): LabelledRectangle[];
  metrics(metrics: Metrics, classes: readonly string[]): object;
  /** without what grows with the classes */
  metricsSummary(metrics: Metrics): object;
  /** beside what every verdict has */
  verdict(verdict: Verdict): object;
  verdictSummary(verdict: Verdict): object;
}
