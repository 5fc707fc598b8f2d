/** What a job's manifest says of a classifier's sample. */
import type * as z from 'zod';
import { manifestLine as sampleLine } from '../../training/job-contract.ts';
import { type Labelled, labelled } from './annotation.ts';

/** The sample's label; null where the job is not to learn that class. */
export const manifestLine = ({ label }: Labelled, classes: ReadonlySet<string>): Labelled | null =>
  classes.has(label) ? { label } : null;

/** A line as a job reads it. */
export const classifierLine = sampleLine.extend(labelled.shape);
export type ClassifierLine = z.infer<typeof classifierLine>;
