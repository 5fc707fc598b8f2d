/** The label that an app gives an upload, in the blob's name or its metadata. */
import { className } from '../../names.ts';
import type { Reason } from '../task.ts';
import type { Labelled } from './annotation.ts';

/** how much of what was written a reason repeats */
const maxSaid = 120;

/**
 * Reads a label that stands in a blob's name or metadata, where the same text means the same: it is percent-encoded, since
 * metadata is ASCII only; a percent sign that encodes nothing is a percent sign.
 */
function readLabel(text: string): Labelled | { why: string } {
  const parsed = className.safeParse(decoded(text));
  return parsed.success ? { label: parsed.data } : { why: parsed.error.issues[0]?.message ?? 'it is no class name' };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The label that a name has between project and file, or why that is none. */
export function fromFolder(text: string): { annotation: Labelled } | { why: string } {
  const read = readLabel(text);
  return 'why' in read ? { why: `its label is none: ${read.why}` } : { annotation: read };
}

/** A label as the part of a blob's name, or the metadata, that is read as that label. */
export const toFolder = ({ label }: Labelled): string =>
  decoded(label) === label ? label : label.replaceAll('%', '%25');

/** The label in a blob's metadata (`x-ms-meta-label`), or why that is none; undefined where there is no such entry. */
export function fromMetadata(
  metadata: Record<string, string>,
): { annotation: Labelled } | { problem: Reason } | undefined {
  const entry = Object.entries(metadata).find(([key]) => key.toLowerCase() === 'label');
  if (entry === undefined) return undefined;
  const read = readLabel(entry[1]);
  if ('label' in read) return { annotation: read };
  const said = JSON.stringify(entry[1].slice(0, maxSaid));
  const detail = `The blob's metadata has the label ${said}, which is none: ${read.why}. The sample waits for review: label it there, or upload the file again with a label.`;
  return { problem: { code: 'bad-label', detail } };
}
