/**
 * The trainers of a platform and the parameters that they take, as JSON Schema: what a trainer prints when it is run with
 * `--describe`, and what the setting TRAINERS holds. Asking for a training is refused here, not by a job minutes later.
 */
import * as z from 'zod';
import { trainerName } from '../project/settings.ts';
import { kinds } from '../task/task.ts';

/** Whatever zod understands of JSON Schema, for an object of numbers, booleans and texts. */
const parametersSchema = z
  .looseObject({ type: z.literal('object'), properties: z.record(z.string().max(60), z.looseObject({})).optional() })
  .refine(isUnderstood, 'parameters are no JSON Schema of an object that can be checked here');

const description = z.object({
  name: trainerName,
  /** the task kind that it makes models of; left out: any */
  task: z.string().min(1).max(40).optional(),
  /** left out: it takes any */
  parameters: parametersSchema.optional(),
});

/** What `--describe` prints: one or more trainers. */
export const trainerDescriptions = z.object({
  trainers: z.array(description).min(1).max(100),
});
export type TrainerDescription = z.infer<typeof trainerDescriptions>['trainers'][number];

/** Most bytes of a description: of what a program prints, and of an app setting. */
export const maxDescriptionBytes = 64 * 1024;

function isUnderstood(schema: object): boolean {
  try {
    z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]);
    return true;
  } catch {
    return false;
  }
}

export interface Trainers {
  described: readonly TrainerDescription[];
  /** whether there are no others; where nobody said so, one that is not described may be known to the job image */
  isComplete: boolean;
}

/** What the trainers of this repository publish. */
export const builtInDescriptions: TrainerDescription[] = [...kinds.values()]
  .flatMap(({ name: task, trainers }) =>
    Object.entries(trainers).map(([name, parameters]) => ({ task, name, parameters })),
  )
  .map(({ task, name, parameters }) => ({
    name,
    task,
    parameters: parametersSchema.parse(z.toJSONSchema(parameters, { io: 'input' })),
  }));

/** The built-in ones, where nothing says which there are. */
export const unknownTrainers: Trainers = { described: builtInDescriptions, isComplete: false };

/** Reads the setting TRAINERS: `built-in`, or a description as JSON; both name all that there are. Throws a ZodError or a SyntaxError. */
export function readTrainers(setting: string): Trainers {
  if (setting === 'built-in') return { ...unknownTrainers, isComplete: true };
  return { described: trainerDescriptions.parse(JSON.parse(setting)).trainers, isComplete: true };
}

/** What a parameter may be, in words: `integer from 1 to 1000, 14 when left out`. */
function inWords(property: Record<string, unknown>): string {
  const part = (words: string, keyword: string): string => {
    const value = property[keyword];
    return value === undefined ? '' : `${words} ${Array.isArray(value) ? value.join(', ') : JSON.stringify(value)}`;
  };
  const type = typeof property['type'] === 'string' ? property['type'] : 'a value';
  const least = part(' from', 'minimum') || part(' above', 'exclusiveMinimum');
  const most = part(' to', 'maximum') || part(' below', 'exclusiveMaximum');
  const usual = property['default'] === undefined ? '' : `${part(',', 'default')} when left out`;
  return `${type}${part(' one of', 'enum')}${least}${most}${usual}`;
}

type Asked = { name: string; parameters: Record<string, number | string | boolean> };

export type TrainerCheck =
  | { ok: true; note?: string }
  | { ok: false; code: 'unknown-trainer' | 'invalid-parameters'; detail: string };

/** Whether there is such a trainer for a task kind, and it takes such parameters; a note where that cannot be known. */
export function checkTrainer(
  { described, isComplete }: Trainers,
  task: string,
  { name, parameters }: Asked,
): TrainerCheck {
  const ofTask = described.filter((one) => one.task === undefined || one.task === task);
  const names = ofTask.map((one) => one.name).join(', ') || 'none';
  const trainer = ofTask.find((one) => one.name === name);
  const other = described.find((one) => one.name === name)?.task;
  if (trainer === undefined && other !== undefined) {
    const detail = `Trainer "${name}" makes models for the task ${other}, and this project's is ${task}; for that there are ${names}.`;
    return { ok: false, code: 'unknown-trainer', detail };
  }
  if (trainer === undefined) {
    if (isComplete) {
      const detail = `There is no trainer "${name}" here; there are ${names}. One of your own has to be named where the platform is set up (docs/trainers.md).`;
      return { ok: false, code: 'unknown-trainer', detail };
    }
    const note = `No description of a trainer "${name}" is known here (known are ${names}): the job alone checks its name and parameters.`;
    return { ok: true, note };
  }
  if (trainer.parameters === undefined)
    return { ok: true, note: `Trainer "${name}" publishes no schema: the job alone checks its parameters.` };
  const parsed = z.fromJSONSchema(trainer.parameters as Parameters<typeof z.fromJSONSchema>[0]).safeParse(parameters);
  if (parsed.success) return { ok: true };
  const properties = trainer.parameters.properties ?? {};
  const said = parsed.error.issues.slice(0, 5).map((issue) => {
    if (issue.code === 'unrecognized_keys') return `it has no parameter ${issue.keys.join(', ')}`;
    const parameter = String(issue.path[0] ?? '');
    const given = Object.hasOwn(parameters, parameter) ? JSON.stringify(parameters[parameter]) : 'missing';
    const property = properties[parameter];
    return `${parameter} is ${given} and has to be ${property === undefined ? issue.message : inWords(property)}`;
  });
  const detail = `Trainer "${name}" does not take these parameters: ${said.join('; ')}. It takes ${Object.keys(properties).join(', ') || 'none'}. There are the trainers ${names}.`;
  return { ok: false, code: 'invalid-parameters', detail };
}
