/** Reading an annotation that somebody sent. */
import { TerminalError } from '../errors.ts';
import type { Annotation, TaskKind } from './task.ts';

/** The annotation in its one form; a TerminalError that says what of it cannot be. `target`: where it was sent. */
export function parseAnnotation(kind: TaskKind, given: unknown, target: string): Annotation {
  const read = kind.annotation.safeParse(given);
  if (read.success) return read.data;
  const [{ path, message } = { path: [], message: 'not understood' }] = read.error.issues;
  const where = [target, ...path.map(String)].join('.');
  const detail = `"${where}" is no annotation of the task kind ${kind.name}: ${message}. See /api/openapi.json for what is expected.`;
  throw new TerminalError('invalid-body', detail, where);
}
