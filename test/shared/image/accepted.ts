import { createHash } from 'node:crypto';
import type { AcceptedImage } from '../../../shared/image/decode.ts';

type Size = Pick<AcceptedImage, 'width' | 'height' | 'channels'>;

/**
 * What a reader would say of bytes that are taken for a sound PNG, for tests of what happens afterwards; `shown` stands for
 * its pixels.
 */
export function acceptedImage(
  bytes: Buffer,
  size: Size = { width: 8, height: 8, channels: 1 },
  shown: Buffer | string = bytes,
): AcceptedImage {
  const pixelDigest = createHash('sha256').update('pixels').update(shown).digest('hex');
  return {
    ...{ ok: true, format: 'png', mediaType: 'image/png', bytes, ...size },
    ...{ trailingBytes: 0, declaredType: null, warnings: [] },
    ...{ pixelDigest, perceptualHash: pixelDigest.slice(0, 16) },
  };
}
