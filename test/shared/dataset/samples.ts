/** Samples and an in-memory node store for tests of version trees. */
import { createHash } from 'node:crypto';
import { type SampleRecord, sampleKey } from '../../../shared/dataset/record.ts';
import { splitOf } from '../../../shared/sample/split.ts';
import type { NodeStore } from '../../../shared/dataset/tree.ts';

/** A store that counts what it is asked. */
export class MemoryStore implements NodeStore {
  readonly nodes = new Map<string, Buffer>();
  reads = 0;
  get(digest: string): Promise<Buffer> {
    this.reads++;
    const bytes = this.nodes.get(digest);
    return bytes === undefined ? Promise.reject(new Error(`no node ${digest}`)) : Promise.resolve(bytes);
  }
  put(digest: string, bytes: Buffer): Promise<void> {
    this.nodes.set(digest, bytes);
    return Promise.resolve();
  }
}

/** The record of the n-th made-up sample. */
export function sample(n: number, label = String(n % 10)): SampleRecord {
  const sha256 = createHash('sha256').update(`sample ${n}`).digest('hex');
  return {
    md5: sha256.slice(0, 32),
    sha256,
    sizeBytes: 1000 + n,
    mediaType: 'image/png',
    width: 28,
    height: 28,
    channels: 1,
    annotation: { label },
    source: 'path',
    split: splitOf(sha256, { validationPercent: 15, testPercent: 15 }),
  };
}

export const keyOf = (n: number, version = 1): string => sampleKey(version, sample(n).md5);

/** What trees of small nodes are made with. */
export const small = { task: 'classification', parameters: { target: 4, min: 2, max: 12 } };

/** The label of a record. */
export const labelOf = ({ annotation }: Pick<SampleRecord, 'annotation'>): string => String(annotation['label']);

/** The label of what may have none. */
export const labelIn = (one: { annotation: SampleRecord['annotation'] | null } | undefined): string | null =>
  one === undefined || one.annotation === null ? null : labelOf({ annotation: one.annotation });
