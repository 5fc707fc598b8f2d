/** What a version says of a sample, and under which key. */
import * as z from 'zod';
import { className } from '../names.ts';

export const splits = ['train', 'validation', 'test'] as const;
export const labelSources = ['path', 'metadata', 'fuzzy', 'review'] as const;

const hex = (digits: number) => z.string().regex(new RegExp(`^[0-9a-f]{${digits}}$`));
const pixels = z.number().int().min(1).max(1_000_000);

/** One entry of a version tree. */
export const sampleRecord = z.object({
  md5: hex(32),
  sha256: hex(64),
  sizeBytes: z.number().int().min(0).max(0xffff_ffff),
  mediaType: z.string().min(1).max(100),
  width: pixels,
  height: pixels,
  channels: z.number().int().min(1).max(255),
  label: className,
  labelSource: z.enum(labelSources),
  split: z.enum(splits),
});
export type SampleRecord = z.infer<typeof sampleRecord>;

const keyPattern = /^(\d{9})-([0-9a-f]{32})$/;

/**
 * Key of a sample: the number of the version that first holds it, then its MD5. One batch of uploads
 * thereby touches few leaves. Zero-padded, so that keys sort as text.
 */
export const sampleKey = (versionNumber: number, md5: string): string =>
  `${String(versionNumber).padStart(9, '0')}-${md5}`;

/** The parts of a key; throws when it is none. */
export function readKey(key: string): { versionNumber: number; md5: string } {
  const match = keyPattern.exec(key);
  if (match?.[2] === undefined) throw new Error(`not a sample key: ${key}`);
  return { versionNumber: Number(match[1]), md5: match[2] };
}
