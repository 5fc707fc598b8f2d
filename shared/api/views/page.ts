/** What every listing and every view share. */
import * as z from 'zod';

export const time = z.string();

export const counts = z.record(z.string(), z.number());

export const split = z.enum(['train', 'validation', 'test']);
export const image = z.object({
  width: z.number(),
  height: z.number(),
  channels: z.number(),
  range: z.enum(['given', 'found']).optional(),
  shrinkOnLoad: z.boolean().optional(),
  fit: z.enum(['stretch', 'letterbox']).optional(),
});

/** A page of a list, with the link to the next one. */
export const page = <T extends z.ZodType>(item: T) =>
  z.object({ value: z.array(item), nextLink: z.string().optional() });
