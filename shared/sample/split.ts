/** Which split a sample belongs to. */
import type { Split } from './document.ts';

/** Chosen from the digest of the pixels alone, so that the same picture never changes sides, whatever file it comes in. */
export function splitOf(pixelDigest: string, percents: { validationPercent: number; testPercent: number }): Split {
  const share = (Number.parseInt(pixelDigest.slice(0, 8), 16) / 0x1_0000_0000) * 100;
  if (share < percents.testPercent) return 'test';
  return share < percents.testPercent + percents.validationPercent ? 'validation' : 'train';
}
