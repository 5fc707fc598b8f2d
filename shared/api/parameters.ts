/** What the names in paths stand for. Each is checked before anything is read, and described as it is checked. */
import * as z from 'zod';
import { projectName } from '../names.ts';
import { queueNames } from '../resources.ts';

/** An id as this API gives it; whoever reads more into it is wrong after the next release. */
export const opaqueId = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,98}[a-z0-9])?$/, 'an id has 1 to 100 lower case letters, digits and dashes');

/** A dataset version as people and programs name it. */
export const versionName = opaqueId.meta({
  description: 'A dataset version: its number, its id, or `head` for the newest',
  example: 'head',
});

const number = z.string().regex(/^[1-9][0-9]{0,7}$/, 'a number of 1 to 8 digits, counted from 1');

/** The schema of every name in a path. */
export const pathParameters = {
  project: projectName.meta({ description: 'Name of the project', example: 'digits' }),
  upload: opaqueId.meta({ description: 'Id of an upload', example: 'u1c4a8d2f0b6e97351c4a8d2f0b6e973' }),
  sample: opaqueId.meta({
    description: 'Id of a sample: md5 of its stored bytes',
    example: '0cc175b9c0f1b6a831c399e269772661',
  }),
  version: versionName,
  from: versionName,
  to: versionName,
  training: opaqueId.meta({ description: 'Id of a training', example: 't5d41402abc4b2a76b9719d9' }),
  number: number.meta({ description: 'Number of a model version', example: '1' }),
  key: opaqueId.meta({
    description: 'Id of an API key: its sha-256 in hex',
    example: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  }),
  prediction: opaqueId.meta({ description: 'Id of a prediction', example: 'p-7d793037a0760186574b0282' }),
  batch: opaqueId.meta({ description: 'Id of a batch', example: 'b5d41402abc4b2a76b9719d9' }),
  queue: z
    .string()
    .regex(/^[a-z]+(?:-[a-z]+)*$/, `queues are ${queueNames.join(', ')}`)
    .max(50)
    .meta({ description: `One of ${queueNames.join(', ')}`, example: 'trainings' }),
} satisfies Record<string, z.ZodType<string>>;

/** The names in a path, e.g. `project` and `number` of `projects/{project}/models/{number}`. */
export type NamesIn<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? Name | NamesIn<Rest>
  : never;

/** The same names at run time, in order. */
export const namesIn = (path: string): string[] => [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
