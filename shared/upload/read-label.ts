/** The label that an app gives its upload. */
import type { ProjectDocument } from '../project/document.ts';
import type { SeenLabel } from '../sample/describe.ts';
import { lookAlikes } from '../sample/look-alikes.ts';
import type { FileFindings } from './document.ts';
import { labelFromMetadata } from './name.ts';

export type Warnings = NonNullable<FileFindings['warnings']>;

/** The label of an upload: the name's, or else the metadata's; null, and why, where it is none that the project has. */
export function readLabel(
  { settings: { classes } }: ProjectDocument,
  pathLabel: string | null,
  metadata: Record<string, string>,
): SeenLabel & { warnings: Warnings } {
  const told = labelFromMetadata(metadata);
  if (pathLabel === null) {
    if (told === undefined) return { label: null, reason: null, warnings: [] };
    if ('problem' in told) return { label: null, reason: told.problem, warnings: [] };
    return { ...among(classes, told.label), warnings: [] };
  }
  const agrees = told === undefined || ('label' in told && told.label === pathLabel);
  const detail = `The name says "${pathLabel}" and the metadata something else: the name counts.`;
  return { ...among(classes, pathLabel), warnings: agrees ? [] : [{ code: 'label-passed-over', detail }] };
}

/** A label, unless the project has classes and it is none of them. */
function among(classes: readonly string[], label: string): SeenLabel {
  if (classes.length === 0 || classes.includes(label)) return { label, reason: null };
  const alike = lookAlikes([label, ...classes]).find((group) => group[0] === label)?.[1];
  const meant = alike === undefined ? '' : ` Was "${alike}" meant?`;
  const detail = `"${label}" is not a class of this project; the sample waits for review.${meant} Add the class or label it by review.`;
  return { label: null, reason: { code: 'unknown-class', detail } };
}
