/**
 * What differs between kinds of image tasks. A project's kind is chosen when it is made; nobody outside this folder asks
 * which kind it is: they ask the kind.
 */
import type * as z from 'zod';
import type { VersionSummary } from '../dataset/document.ts';
import { TerminalError } from '../errors.ts';
import type { ProjectSettings } from '../project/settings.ts';
import type { IndexedField } from '../resources.ts';
import { classification } from './classification/classification.ts';
import { detection } from './detection/detection.ts';
import type { ModelKind } from './models.ts';

/** What a sample shows, in the form of its project's kind: an object of JSON. */
export type Annotation = Readonly<Record<string, unknown>>;

/** A code for machines and a sentence for people. */
export interface Reason {
  code: string;
  detail: string;
}

/** One kind of image task, whose annotations are `A`s. */
export interface TaskKind<A extends Annotation = Annotation> extends ModelKind<A> {
  /** as `ProjectSettings.task` has it, and what is stored of its projects' data */
  readonly name: string;
  /** what an annotation is; parsing brings it into its one form */
  readonly annotation: z.ZodType<A>;
  /** the same text, JSON, for equal annotations, and for no others */
  canonical(annotation: A): string;
  /** the classes that it names, each once, and how often: what a version counts by class */
  counts(annotation: A): [name: string, times: number][];
  /** in few words: `cat` */
  brief(annotation: A): string;
  /** what changed from one annotation of a sample to another, in the kind's words, beside `brief` of the first */
  changes(before: A, after: A): Record<string, unknown>;
  /** as part of a sentence about a sample: `labelled "cat"` */
  say(annotation: A): string;
  /** the same on a picture of that size, in pixels as shown; or why it cannot be of that picture */
  onPicture(annotation: A, picture: { width: number; height: number }): { annotation: A } | { why: string };
  /** what `text` says, the folder that an upload's name has between project and file; or why that is no annotation. undefined: folders say nothing */
  fromFolder(text: string): { annotation: A } | { why: string } | undefined;
  /** the folder of an upload's name that says so; undefined: no name can */
  toFolder(annotation: A): string | undefined;
  /** what a blob's metadata says; undefined: nothing of it is an annotation */
  fromMetadata(metadata: Record<string, string>): { annotation: A } | { problem: Reason } | undefined;
  /** whether a file beside the picture, `scene.jpg.json` beside `scene.jpg`, says it as JSON */
  readonly sidecars: boolean;
  /** the indexed field of samples, and its value, by which those that have this label are found; undefined: none have */
  filter(label: string): Partial<Record<IndexedField<'samples'>, string>> | undefined;
  /** name of the folder that it lies in when a version is checked out: no separator, and never `.` or `..` */
  folder(annotation: A): string;
  /** what answers say of it in the kind's words, beside the annotation itself; null: there is none */
  fieldsOf(annotation: A | null): Record<string, unknown>;
  /** why nobody can train on such a version, beyond what holds for every kind; undefined: they can */
  untrainable(settings: Pick<ProjectSettings, 'classes'>, version: VersionSummary): Reason | undefined;
  /** what a job's manifest says of such a sample beside address, digest and split; null: it is not for these classes */
  manifestLine(annotation: A, classes: ReadonlySet<string>): Record<string, unknown> | null;
}

/** Whether two annotations say the same; null: there is none. */
export const isSame = (kind: TaskKind, a: Annotation | null, b: Annotation | null): boolean =>
  a === null || b === null ? a === b : kind.canonical(a) === kind.canonical(b);

/** Every kind there is, by name. */
export const kinds = new Map<string, TaskKind>([classification, detection].map((kind) => [kind.name, kind]));

/** The kind of projects that name none. */
export const defaultTask = classification.name;

/** The kind of a project; a TerminalError where there is no such kind. */
export function taskOf({ task }: Pick<ProjectSettings, 'task'>): TaskKind {
  const kind = kinds.get(task);
  if (kind !== undefined) return kind;
  const detail = `There is no task kind "${task}"; there are ${[...kinds.keys()].join(', ')}. A newer release may know it.`;
  throw new TerminalError('unknown-task', detail);
}
