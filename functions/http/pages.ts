/** One page of a listing, bounded in bytes as well as in items. */
import type { Stored } from '../../shared/ports.ts';
import { continuationOf } from './route.ts';

/** A page ends with the look at documents that takes it beyond this much JSON. */
const maxPageBytes = 4 * 1024 * 1024;
/** Documents of the first look, which tells how large they are: one may have 2 MB. */
const firstLook = 4;
/** Further looks are for what the mean of those before would fill this share of what is left with. */
const caution = 0.5;

interface Look {
  limit: number;
  continuation?: string;
}

/**
 * Reads documents until there are `limit` of them, or their views have 4 MB: however large they are, this process holds a
 * few at a time, and an answer has 8 MB at most. `read` makes one look, `show` what is told of the documents that it found.
 */
export async function readPage<T, V>(
  query: { limit: number; continuation?: string | undefined },
  read: (look: Look) => Promise<{ items: Stored<T>[]; continuation?: string }>,
  show: (documents: T[]) => V[] | Promise<V[]>,
): Promise<{ value: V[]; continuation: string | undefined }> {
  const value: V[] = [];
  let { continuation } = continuationOf(query);
  let [seen, bytes, limit] = [0, 0, firstLook];
  do {
    const look = {
      limit: Math.min(limit, query.limit - seen),
      ...(continuation === undefined ? {} : { continuation }),
    };
    const found = await read(look);
    const shown = await show(found.items.map(({ document }) => document));
    value.push(...shown);
    seen += found.items.length;
    bytes += shown.reduce((sum, one) => sum + Buffer.byteLength(JSON.stringify(one)), 0);
    ({ continuation } = found);
    if (found.items.length === 0) break;
    const fitting = Math.floor(((maxPageBytes - bytes) * caution) / Math.max(1, bytes / seen));
    limit = Math.max(1, fitting);
  } while (continuation !== undefined && seen < query.limit && bytes < maxPageBytes);
  return { value, continuation };
}
