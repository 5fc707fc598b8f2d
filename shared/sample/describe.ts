/** What is known of an accepted picture before it is a sample. */
import { createHash } from 'node:crypto';
import type { AcceptedImage } from '../image/decode.ts';
import type { FileFindings, UploadDocument } from '../upload/document.ts';
import type { SampleDocument } from './document.ts';

export interface SeenLabel {
  label: string | null;
  reason: UploadDocument['reason'];
}

type Described = Pick<AcceptedImage, 'mediaType' | 'width' | 'height' | 'channels' | 'pixelDigest' | 'perceptualHash'>;

/** An image whose bytes are in the store, under their MD5. */
export interface StoredImage extends Described {
  md5: string;
  sha256: string;
  sizeBytes: number;
  seen: SeenLabel;
  source: SampleDocument['labelSource'];
  findings: FileFindings;
}

/** Describes a picture by its bytes, digests in lower-case hex; `pathLabel`: the label in its name, if any. */
export function describe(
  image: AcceptedImage,
  seen: SeenLabel,
  pathLabel: string | null,
  findings: FileFindings,
): StoredImage {
  const { bytes, mediaType, width, height, channels, pixelDigest, perceptualHash } = image;
  const md5 = createHash('md5').update(bytes).digest('hex');
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const source = seen.label === null ? null : pathLabel === null ? 'metadata' : 'path';
  const shown = { mediaType, width, height, channels, pixelDigest, perceptualHash };
  return { md5, sha256, sizeBytes: bytes.length, ...shown, seen, source, findings };
}
