/** The annotation of a classifier's sample: its one label. */
import * as z from 'zod';
import { className } from '../../names.ts';

export const labelled = z.strictObject({ label: className });
export type Labelled = z.infer<typeof labelled>;

/** The same text for equal labels. */
export const canonical = ({ label }: Labelled): string => JSON.stringify({ label });

/** The one class that it names. */
export const classesIn = ({ label }: Labelled): string[] => [label];

/** One sample of its class. The object knows no names but its own: a class may be called `constructor`. */
export function counts({ label }: Labelled): Record<string, number> {
  const counted = Object.create(null) as Record<string, number>;
  counted[label] = 1;
  return counted;
}

/** The label in quotes. */
export const say = ({ label }: Labelled): string => `"${label}"`;
