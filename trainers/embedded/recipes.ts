/** What each trainer of this repository does with its parameters. */
import type * as z from 'zod';
import { builtInTrainers } from '../../shared/task/classification/trainers.ts';
import { builtInTrainers as detectorTrainers } from '../../shared/task/detection/trainers.ts';
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

/** The recipe of a classifier's trainer; throws where the trainer is unknown or a parameter does not fit. */
export const recipeOf = (name: string, given: Record<string, unknown>): Recipe => chosen(recipes, name, given);

export type DetectorRecipe = z.infer<(typeof detectorTrainers)['centernet']>;

const detectorRecipes: Record<keyof typeof detectorTrainers, (given: Record<string, unknown>) => DetectorRecipe> = {
  centernet: (given) => detectorTrainers.centernet.parse(given),
};

/** The recipe of a detector's trainer; throws likewise. */
export const detectorRecipeOf = (name: string, given: Record<string, unknown>): DetectorRecipe =>
  chosen(detectorRecipes, name, given);
