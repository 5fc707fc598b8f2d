/** What a job's manifest says of a classifier's sample. */
import type { Labelled } from './annotation.ts';

/** The sample's label; null where the job is not to learn that class. */
export const manifestLine = ({ label }: Labelled, classes: ReadonlySet<string>): Labelled | null =>
  classes.has(label) ? { label } : null;
