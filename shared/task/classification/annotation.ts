/** The annotation of a classifier's sample: its one label. */
import * as z from 'zod';
import { className } from '../../names.ts';

export const labelled = z.strictObject({ label: className });
export type Labelled = z.infer<typeof labelled>;

/** The same text for equal labels. */
export const canonical = ({ label }: Labelled): string => JSON.stringify({ label });

/** One sample of its class. */
export const counts = ({ label }: Labelled): [string, number][] => [[label, 1]];

/** In few words: the label. */
export const brief = ({ label }: Labelled): string => label;

/** As part of a sentence: `labelled "cat"`. */
export const say = ({ label }: Labelled): string => `labelled "${label}"`;

/** The samples that have a label. */
export const filter = (label: string) => ({ 'annotation.label': label });

/** The label as a folder's name: escaped so that any label is one, and no two are the same. */
export const folder = ({ label }: Labelled): string =>
  encodeURIComponent(label).replace(/[.!'()*~]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

/** What answers say of a label. */
export const fields = z.object({ label: z.string() });

/** The fields of an answer about a sample; null: it waits for a label. */
export const fieldsOf = (annotation: Labelled | null): { label: string | null } => ({
  label: annotation?.label ?? null,
});
