/** Listings: what a client says of the page that it wants, and the link to the next. */
import * as z from 'zod';
import { Problem } from '../../../shared/api/problem.ts';
import type { Answer } from '../route.ts';

/** What every listing takes. */
export const listQuery = {
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  continuation: z.string().max(4000).optional(),
};

/** One page of a listing, with a link to the next. */
export function pageOf(
  call: { base: string },
  path: string,
  query: Record<string, string | number | undefined>,
  value: unknown[],
  continuation: string | undefined,
): Answer {
  return { status: 200, json: { value, ...linkTo(call, path, query, continuation) } };
}

/** The link to the page that follows; nothing when there is none. */
export function linkTo(
  call: { base: string },
  path: string,
  query: Record<string, string | number | undefined>,
  continuation: string | undefined,
): { nextLink?: string } {
  if (continuation === undefined) return {};
  const next = new URLSearchParams();
  for (const [key, v] of Object.entries(query)) if (v !== undefined && key !== 'continuation') next.set(key, String(v));
  next.set('continuation', Buffer.from(continuation).toString('base64url'));
  return { nextLink: `${call.base}${path}?${next.toString()}` };
}

/** A continuation as it came in a link. */
export function continuationOf(query: { continuation?: string | undefined }): { continuation?: string } {
  if (query.continuation === undefined) return {};
  const continuation = Buffer.from(query.continuation, 'base64url').toString('utf8');
  if (/^[\x20-\x7e]+$/.test(continuation)) return { continuation };
  throw new Problem(
    400,
    'invalid-continuation',
    'This continuation was not given by a listing. Begin at the first page.',
    {
      target: 'continuation',
    },
  );
}
