/** Which split a sample belongs to. */
import type { Split } from '../documents.ts';

/** Chosen from the content hash alone, so that the same image never changes sides. */
export function splitOf(sha256: string, percents: { validationPercent: number; testPercent: number }): Split {
  const share = (Number.parseInt(sha256.slice(0, 8), 16) / 0x1_0000_0000) * 100;
  if (share < percents.testPercent) return 'test';
  return share < percents.testPercent + percents.validationPercent ? 'validation' : 'train';
}
