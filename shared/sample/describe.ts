/** What is known of an accepted picture before it is a sample. */
import { createHash } from 'node:crypto';
import type { AcceptedImage } from '../image/decode.ts';
import type { Annotation } from '../task/task.ts';
import type { FileFindings, UploadDocument } from '../upload/document.ts';
import type { SampleDocument } from './document.ts';

/** An annotation that came with an upload; null, and why, where there is none that the project takes. */
export interface SeenAnnotation {
  annotation: Annotation | null;
  reason: UploadDocument['reason'];
}

type Described = Pick<AcceptedImage, 'mediaType' | 'width' | 'height' | 'channels' | 'pixelDigest' | 'perceptualHash'>;

/** An image whose bytes are in the store, under their MD5. */
export interface StoredImage extends Described {
  md5: string;
  sha256: string;
  sizeBytes: number;
  seen: SeenAnnotation;
  source: SampleDocument['source'];
  findings: FileFindings;
}

/** Describes a picture by its bytes, digests in lower-case hex; `folder`: what its name has between project and file, if anything. */
export function describe(
  image: AcceptedImage,
  seen: SeenAnnotation,
  folder: string | null,
  findings: FileFindings,
): StoredImage {
  const { bytes, mediaType, width, height, channels, pixelDigest, perceptualHash } = image;
  const md5 = createHash('md5').update(bytes).digest('hex');
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const source = seen.annotation === null ? null : folder === null ? 'metadata' : 'path';
  const shown = { mediaType, width, height, channels, pixelDigest, perceptualHash };
  return { md5, sha256, sizeBytes: bytes.length, ...shown, seen, source, findings };
}
