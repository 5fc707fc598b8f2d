/** What a trainer does with samples, and what comes of it. */
import type { ValueInfo } from '../../shared/onnx/encode.ts';
import type { ClassifierShape } from '../../shared/task/classification/ends.ts';
import type { Architecture } from './architectures.ts';
import type { Sample } from './evaluate.ts';
import type { FeatureOptions } from './features.ts';
import type { Fitted, FitOptions } from './fit.ts';

export interface Samples {
  train: Sample[];
  validation: Sample[];
}

/** Why a method was chosen among several. */
export interface Choice {
  chosen: string;
  /** share of right answers of `samples` pictures of the training split, each by a model that had not seen it */
  compared: { method: string; by: 'cross-validation' | 'left-out'; accuracy: number; samples: number }[];
  /** the same as a sentence */
  note: string;
}

export interface Trained {
  architecture: Architecture;
  fitted: Fitted;
  /** what the served model gives out beside probabilities */
  outputs?: readonly ValueInfo[];
  /** what it says of itself beside what all models say */
  metadata?: Record<string, string>;
  choice?: Choice;
}

export interface MethodOptions extends FitOptions, FeatureOptions {
  /** called before the training that a choice leads to */
  afterChoice?: ((choice: Choice) => Promise<void>) | undefined;
}

export type Method = (samples: Samples, shape: ClassifierShape, options: MethodOptions) => Promise<Trained>;
