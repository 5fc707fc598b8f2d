/** What a job's manifest says of a detector's sample. */
import * as z from 'zod';
import { className } from '../../names.ts';
import { manifestLine as sampleLine } from '../../training/job-contract.ts';
import { type Boxes, maxBoxes } from './annotation.ts';

/** The sample's boxes of the classes that the job is to learn; without any it is a negative one. */
export const manifestLine = ({ boxes }: Boxes, classes: ReadonlySet<string>): Boxes => ({
  boxes: boxes.filter(({ class: name }) => classes.has(name)),
});

const box = z.object({
  class: className,
  ...{ x: z.number(), y: z.number(), width: z.number(), height: z.number() },
  crowd: z.literal(true).optional(),
});

/** A line as a job reads it. */
export const detectorLine = sampleLine.extend({ boxes: z.array(box).max(maxBoxes) });
