/** What an app says that the picture of its upload shows. */
import type { SeenAnnotation } from '../sample/describe.ts';
import { lookAlikes } from '../sample/look-alikes.ts';
import type { ProjectDocument } from '../project/document.ts';
import { type Annotation, isSame, type TaskKind, taskOf } from '../task/task.ts';
import { unknownClass } from '../task/unknown-class.ts';
import type { FileFindings } from './document.ts';
import { badName } from './name.ts';

interface Size {
  width: number;
  height: number;
}

export type Warnings = NonNullable<FileFindings['warnings']>;

/** Why a folder of an upload's name is no annotation of the project's kind; undefined: it is one, or there is no folder. */
export function whyBadFolder(
  { settings }: ProjectDocument,
  folder: string | null,
): { code: 'bad-name'; detail: string } | undefined {
  const read = folder === null ? undefined : taskOf(settings).fromFolder(folder);
  return read !== undefined && 'why' in read ? badName(read.why) : undefined;
}

/** The annotation of an upload: the name's, or else the metadata's. */
export function readAnnotation(
  { settings }: Pick<ProjectDocument, 'settings'>,
  folder: string | null,
  metadata: Record<string, string>,
  picture: Size,
): SeenAnnotation & { warnings: Warnings } {
  const kind = taskOf(settings);
  const told = kind.fromMetadata(metadata);
  const named = folder === null ? undefined : kind.fromFolder(folder);
  if (named === undefined || 'why' in named) {
    if (told === undefined) return { annotation: null, reason: null, warnings: [] };
    if ('problem' in told) return { annotation: null, reason: told.problem, warnings: [] };
    return { ...among(kind, settings.classes, told.annotation, picture), warnings: [] };
  }
  const { annotation } = named;
  const agrees = told === undefined || ('annotation' in told && isSame(kind, told.annotation, annotation));
  const detail = `The name says "${kind.brief(annotation)}" and the metadata something else: the name counts.`;
  const warnings = agrees ? [] : [{ code: 'label-passed-over', detail }];
  return { ...among(kind, settings.classes, annotation, picture), warnings };
}

/** An annotation, unless the project has classes and one that it names is none of them, or it cannot be of this picture. */
export function among(
  kind: TaskKind,
  classes: readonly string[],
  annotation: Annotation,
  picture: Size,
): SeenAnnotation {
  const unknown = unknownClass(kind, classes, annotation);
  if (unknown === undefined) {
    const placed = kind.onPicture(annotation, picture);
    if ('annotation' in placed) return { annotation: placed.annotation, reason: null };
    const detail = `What the upload says of the picture cannot be: ${placed.why}. The sample waits for review: annotate it there.`;
    return { annotation: null, reason: { code: 'outside-picture', detail } };
  }
  const alike = lookAlikes([unknown, ...classes]).find((group) => group[0] === unknown)?.[1];
  const meant = alike === undefined ? '' : ` Was "${alike}" meant?`;
  const detail = `"${unknown}" is not a class of this project; the sample waits for review.${meant} Add the class or label it by review.`;
  return { annotation: null, reason: { code: 'unknown-class', detail } };
}
