/** The trainers of this repository and the parameters they take; `trainers/embedded` makes recipes of them. */
import * as z from 'zod';

const share = z.number().min(0).max(0.5);

const parameters = (preset: {
  epochs: number;
  batchSize: number;
  learningRate: number;
  weightDecay: number;
  shift: number;
  scale: number;
  rotation: number;
}) =>
  z.strictObject({
    epochs: z.number().int().min(1).max(1000).default(preset.epochs),
    batchSize: z.number().int().min(1).max(512).default(preset.batchSize),
    learningRate: z.number().positive().max(1).default(preset.learningRate),
    weightDecay: z.number().min(0).max(1).default(preset.weightDecay),
    labelSmoothing: share.default(0.1),
    patience: z.number().int().min(1).max(1000).default(10),
    shift: share.default(preset.shift),
    scale: share.default(preset.scale),
    rotation: z.number().min(0).max(180).default(preset.rotation),
    flip: z.boolean().default(false),
  });

const softmaxParameters = parameters({
  epochs: 20,
  batchSize: 32,
  learningRate: 0.01,
  weightDecay: 0.1,
  shift: 0,
  scale: 0,
  rotation: 0,
});
const residualParameters = parameters({
  epochs: 14,
  batchSize: 32,
  learningRate: 0.02,
  weightDecay: 0.05,
  shift: 0.08,
  scale: 0.1,
  rotation: 10,
}).extend({ width: z.number().int().min(4).max(64).default(8) });

/** How long the pretrained backbone sees the longer side of a picture, to the nearest multiple of 32. */
const size = z.number().int().min(32).max(512).default(160);
/** The inverse of the penalty on a linear head's weights, scikit-learn's C: greater fits the training samples more closely. */
const strength = (usual: number) => z.number().positive().max(1e6).default(usual);

export const builtInTrainers = {
  auto: z.strictObject({ size }),
  embedding: z.strictObject({
    size,
    head: z.enum(['linear', 'hidden']).default('linear'),
    /** of a linear head */
    strength: strength(100),
    /** of a hidden head */
    units: z.number().int().min(4).max(1024).default(128),
  }),
  edges: z.strictObject({ strength: strength(10) }),
  'resnet-small': residualParameters,
  softmax: softmaxParameters,
} as const;
