/** Addresses for uploads, each of one blob that may be created once. */
import * as z from 'zod';
import { time } from './page.ts';

export const uploadUrlsView = z.object({
  value: z.array(
    z.object({
      name: z.string(),
      blob: z.string(),
      url: z.string(),
      headers: z.record(z.string(), z.string()),
      expiresAt: time,
    }),
  ),
});
