/** The documents of samples: the image, its pixels, and what is staged. */
import type { DocumentBase } from '../delivery/document.ts';
import type { Annotation } from '../task/task.ts';
import type { FileFindings } from '../upload/document.ts';
/** Where an annotation came from. */
export type AnnotationSource = 'path' | 'metadata' | 'fuzzy' | 'review';
export type Split = 'train' | 'validation' | 'test';
/** id: md5 of the bytes; pk: `{project}:{first two digits of id}` */
export interface SampleDocument extends DocumentBase, FileFindings {
  project: string;
  sha256: string;
  /** sha-256 of the decoded pixels, and a hash of what they look like (16 hex digits); missing in samples of older releases */
  pixelDigest?: string;
  perceptualHash?: string;
  sizeBytes: number;
  mediaType: string;
  width: number;
  height: number;
  channels: number;
  /** null: it waits for review */
  annotation: Annotation | null;
  /** null where there is no annotation */
  source: AnnotationSource | null;
  /** grows with every change of the annotation */
  revision: number;
  split: Split;
  /** upload that created it */
  origin: string;
  /** uploads of the same picture with another annotation, waiting for review; at most 20 kept */
  conflicts: {
    upload: string;
    annotation: Annotation;
  }[];
  /**
   * Why a sample that was accepted has no annotation any more: nobody could read it. A person who annotates it brings it back.
   * Missing: that has not happened
   */
  setAside?: {
    code: 'unreadable';
    detail: string;
    annotation: Annotation | null;
    training: string;
    at: string;
  };
  /** key in the version tree and first version that holds it; null until a commit has taken it */
  key: string | null;
  firstVersion: number | null;
  createdAt: string;
}
/** id: digest of the pixels; pk: `{project}:{first two digits of id}`. Of files that show the same pixels one is a sample */
export interface PixelsDocument extends DocumentBase {
  /** as it was made, or has still to be made by whoever finds that it is missing */
  sample: SampleDocument;
}
/** id: `{md5}`; pk: project. A sample whose annotation is in no version yet. */
export interface StagedDocument extends DocumentBase {
  revision: number;
  stagedAt: string;
}
