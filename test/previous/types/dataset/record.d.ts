/** What a version says of a sample, and under which key. */
import type { AnnotationSource, Split } from '../sample/document.ts';
import type { Annotation } from '../task/task.ts';
export declare const splits: readonly ['train', 'validation', 'test'];
export declare const annotationSources: readonly ['path', 'metadata', 'fuzzy', 'review'];
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
/**
 * Key of a sample: the number of the version that first holds it, then its MD5. One batch of uploads
 * thereby touches few leaves. Zero-padded, so that keys sort as text.
 */
export declare const sampleKey: (versionNumber: number, md5: string) => string;
/** The parts of a key; throws when it is none. */
export declare function readKey(key: string): {
  versionNumber: number;
  md5: string;
};
