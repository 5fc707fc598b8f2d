/** What each trainer of this repository does with its parameters. */
import type * as z from 'zod';
import { builtInTrainers } from '../../shared/task/classification/trainers.ts';
import { residualNetwork, softmaxOnEdges } from './architectures.ts';
import type { Recipe } from './fit.ts';

function recipe(values: z.infer<(typeof builtInTrainers)['softmax']>, architecture: Recipe['architecture']): Recipe {
  const { shift, scale, rotation, flip, ...rest } = values;
  return { ...rest, architecture, augmentation: { shift, scale, rotation, flip } };
}

const recipes: Record<keyof typeof builtInTrainers, (given: Record<string, unknown>) => Recipe> = {
  softmax: (given) => recipe(builtInTrainers.softmax.parse(given), softmaxOnEdges),
  'resnet-small': (given) => {
    const { width, ...values } = builtInTrainers['resnet-small'].parse(given);
    return recipe(values, residualNetwork(width));
  },
};

/** The recipe of a trainer with given parameters; throws where the trainer is unknown or a parameter does not fit. */
export function recipeOf(name: string, given: Record<string, unknown>): Recipe {
  const [, recipeWith] = Object.entries(recipes).find(([known]) => known === name) ?? [];
  if (recipeWith !== undefined) return recipeWith(given);
  throw new Error(`there is no trainer ${name}: use ${Object.keys(recipes).join(' or ')}`);
}
