/** What a version says of a sample, and under which key. */
import type { AnnotationSource, Split } from '../sample/document.ts';
import type { Annotation } from '../task/task.ts';

export const splits = ['train', 'validation', 'test'] as const satisfies readonly Split[];
export const annotationSources = ['path', 'metadata', 'fuzzy', 'review'] as const satisfies readonly AnnotationSource[];

/** One entry of a version tree. */
export interface SampleRecord {
  /** 32 hex digits */
  md5: string;
  /** 64 hex digits */
  sha256: string;
  sizeBytes: number;
  mediaType: string;
  width: number;
  height: number;
  channels: number;
  annotation: Annotation;
  source: AnnotationSource;
  split: Split;
}

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
