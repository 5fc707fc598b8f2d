/** What each trainer of this repository does with its parameters. */
import type * as z from 'zod';
import { builtInTrainers } from '../../shared/task/classification/trainers.ts';
import { residualNetwork, softmaxOnEdges } from './architectures.ts';
import type { Recipe } from './fit.ts';

function recipe(values: z.infer<(typeof builtInTrainers)['softmax']>, architecture: Recipe['architecture']): Recipe {
  const { shift, scale, rotation, flip, ...rest } = values;
  return { ...rest, architecture, augmentation: { shift, scale, rotation, flip } };
}

/** The recipe of a trainer with given parameters; throws where the trainer is unknown or a parameter does not fit. */
export function recipeOf(name: string, given: Record<string, unknown>): Recipe {
  if (name === 'softmax') return recipe(builtInTrainers.softmax.parse(given), softmaxOnEdges);
  if (name === 'resnet-small') {
    const { width, ...values } = builtInTrainers['resnet-small'].parse(given);
    return recipe(values, residualNetwork(width));
  }
  throw new Error(`there is no trainer ${name}: use ${Object.keys(builtInTrainers).join(' or ')}`);
}
