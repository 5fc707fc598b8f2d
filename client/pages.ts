/** Listings, page by page. */
import * as z from 'zod';
import type { Client } from './client.ts';

/** What a route answers page by page, along its links; at most `limit` pages. */
export async function* pagesOf<T extends { nextLink?: string | undefined }>(
  client: Client,
  path: string,
  shape: z.ZodType<T>,
  limit = 1000,
): AsyncGenerator<T> {
  let next: string | undefined = path;
  for (let pages = 0; next !== undefined && pages < limit; pages += 1) {
    const { body }: { body: T } = await client.get(next, shape);
    yield body;
    next = body.nextLink;
  }
}

/** All items of a listing, on at most `limit` pages. */
export async function getAll<T>(client: Client, path: string, item: z.ZodType<T>, limit?: number): Promise<T[]> {
  const shape = z.object({ value: z.array(item), nextLink: z.string().optional() });
  const items: T[] = [];
  for await (const { value } of pagesOf(client, path, shape, limit)) items.push(...value);
  return items;
}
