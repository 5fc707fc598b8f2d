/** The task kind of classifiers: every picture shows one of the project's classes. */
import type { TaskKind } from '../task.ts';
import { brief, canonical, counts, fieldsOf, folder, type Labelled, labelled, say } from './annotation.ts';
import { manifestLine } from './manifest.ts';
import { untrainable } from './trainable.ts';

export const classification: TaskKind<Labelled> = {
  name: 'classification',
  annotation: labelled,
  canonical,
  counts,
  brief,
  say,
  folder,
  fieldsOf,
  untrainable,
  manifestLine,
};
