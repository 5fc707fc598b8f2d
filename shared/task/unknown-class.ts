/** Classes that a project does not have. */
import type { Annotation, TaskKind } from './task.ts';

/** The first class that an annotation names and a project with classes does not have; undefined: there is none. */
export function unknownClass(kind: TaskKind, classes: readonly string[], annotation: Annotation): string | undefined {
  if (classes.length === 0) return undefined;
  const named = kind.counts(annotation).map(([name]) => name);
  return named.find((name) => !classes.includes(name));
}
