/** One page of a listing, bounded in bytes as well as in items. */
import type { Stored } from '../../../shared/ports.ts';
import { continuationOf } from './listing.ts';

/** A page ends with the batch of documents that takes it beyond this much JSON. */
export const maxPageBytes = 4 * 1024 * 1024;
/** ... or with the one that has read this much: views may be much smaller than the documents that they are made of. */
const maxReadBytes = 64 * 1024 * 1024;
/** Documents of one batch are held together; beside those of other calls, this much of them is no burden. */
const maxBatchBytes = 4 * 1024 * 1024;
/** Documents of the first batch, which tells how large they are: one may have 2 MB. */
const firstBatch = 4;
/** Further batches are for what the mean of those before would fill this share of those bounds with. */
const caution = 0.5;

interface Batch {
  limit: number;
  continuation?: string;
}

/**
 * Reads documents until there are `limit` of them, their views have 4 MB, or they themselves 64 MB: however large they are,
 * this process holds a few at a time, and an answer has 8 MB at most. `read` reads one batch, `show` what is told of the
 * documents that it found.
 */
export async function readPage<T, V>(
  query: { limit: number; continuation?: string | undefined },
  read: (batch: Batch) => Promise<{ items: Stored<T>[]; continuation?: string }>,
  show: (documents: T[]) => V[] | Promise<V[]>,
): Promise<{ value: V[]; continuation: string | undefined }> {
  const value: V[] = [];
  let { continuation } = continuationOf(query);
  let [seen, bytes, bytesRead, limit] = [0, 0, 0, firstBatch];
  do {
    const batch = {
      limit: Math.min(limit, query.limit - seen),
      ...(continuation === undefined ? {} : { continuation }),
    };
    const found = await read(batch);
    const shown = await show(found.items.map(({ document }) => document));
    value.push(...shown);
    seen += found.items.length;
    bytes += sizeOf(shown);
    bytesRead += sizeOf(found.items);
    ({ continuation } = found);
    if (found.items.length === 0) break;
    const fitting = Math.min((maxPageBytes - bytes) / bytes, maxBatchBytes / bytesRead) * seen;
    limit = Math.max(1, Math.floor(fitting * caution));
  } while (continuation !== undefined && seen < query.limit && bytes < maxPageBytes && bytesRead < maxReadBytes);
  return { value, continuation };
}

const sizeOf = (items: unknown[]): number =>
  items.reduce<number>((sum, one) => sum + Buffer.byteLength(JSON.stringify(one)), 0);
