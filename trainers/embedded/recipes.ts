/** What each trainer of this repository does with its parameters. */
import type * as z from 'zod';
import { backboneParts } from '../../shared/onnx/backbone.ts';
import { builtInTrainers } from '../../shared/task/classification/trainers.ts';
import { builtInTrainers as detectorTrainers } from '../../shared/task/detection/trainers.ts';
import { residualNetwork, softmaxOnEdges } from './architectures.ts';
import { auto } from './auto.ts';
import { edges, embeddingOf } from './features.ts';
import type { Recipe } from './fit.ts';
import type { Method } from './method.ts';
import { fromScratch, fromScratchOnSmall } from './scratch.ts';
import { hiddenOn, linearOn } from './transfer.ts';

function recipe(values: z.infer<(typeof builtInTrainers)['softmax']>, architecture: Recipe['architecture']): Recipe {
  const { shift, scale, rotation, flip, ...rest } = values;
  return { ...rest, architecture, augmentation: { shift, scale, rotation, flip } };
}

function residual(given: Record<string, unknown>): Recipe {
  const { width, ...values } = builtInTrainers['resnet-small'].parse(given);
  return recipe(values, residualNetwork(width));
}

const methods: Record<keyof typeof builtInTrainers, (given: Record<string, unknown>) => Method> = {
  auto: (given) => {
    const { size } = builtInTrainers.auto.parse(given);
    const strengths = { embedding: usualStrength('embedding'), edges: usualStrength('edges') };
    return auto(size, strengths, fromScratchOnSmall(residual({})));
  },
  embedding: (given) => {
    const { size, head, strength, units } = builtInTrainers.embedding.parse(given);
    return async (samples, shape, options) => {
      const features = embeddingOf(shape, size, await backboneParts());
      const method = head === 'linear' ? linearOn(features, strength) : hiddenOn(features, units);
      return method(samples, shape, options);
    };
  },
  edges: (given) => linearOn(edges, builtInTrainers.edges.parse(given).strength),
  softmax: (given) => fromScratch(recipe(builtInTrainers.softmax.parse(given), softmaxOnEdges)),
  'resnet-small': (given) => fromScratch(residual(given)),
};

const usualStrength = (trainer: 'embedding' | 'edges'): number => builtInTrainers[trainer].parse({}).strength;

/** What `given` makes of the trainer of that name; throws where it is none of these, or a parameter does not fit. */
function chosen<R>(
  known: Record<string, (given: Record<string, unknown>) => R>,
  name: string,
  given: Record<string, unknown>,
): R {
  const [, recipeWith] = Object.entries(known).find(([one]) => one === name) ?? [];
  if (recipeWith !== undefined) return recipeWith(given);
  throw new Error(`there is no trainer ${name} for this task: use ${Object.keys(known).join(' or ')}`);
}

/** What a classifier's trainer does; throws where the trainer is unknown or a parameter does not fit. */
export const methodOf = (name: string, given: Record<string, unknown>): Method => chosen(methods, name, given);

export type DetectorRecipe = z.infer<(typeof detectorTrainers)['centernet']>;

const detectorRecipes: Record<keyof typeof detectorTrainers, (given: Record<string, unknown>) => DetectorRecipe> = {
  centernet: (given) => detectorTrainers.centernet.parse(given),
};

/** The recipe of a detector's trainer; throws likewise. */
export const detectorRecipeOf = (name: string, given: Record<string, unknown>): DetectorRecipe =>
  chosen(detectorRecipes, name, given);
