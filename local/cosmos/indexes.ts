/** What a container has an index for, and what cannot be ordered without one. */
import * as z from 'zod';
import { badRequest } from './failure.ts';
import { propertyPath } from './query/pushdown.ts';
import type { Ordering, Query } from './query/syntax.ts';

export const indexingPolicy = z.looseObject({
  includedPaths: z.array(z.looseObject({ path: z.string() })).optional(),
  excludedPaths: z.array(z.looseObject({ path: z.string() })).optional(),
  compositeIndexes: z
    .array(
      z.array(z.looseObject({ path: z.string(), order: z.enum(['ascending', 'descending']).default('ascending') })),
    )
    .optional(),
});
export type IndexingPolicy = z.infer<typeof indexingPolicy>;

/** As infra/modules/documents.bicep indexes a container: these fields, and each order with `id` breaking ties. */
export const declaredPolicy = (indexed: readonly string[], orders: readonly string[]): IndexingPolicy => ({
  indexingMode: 'consistent',
  automatic: true,
  includedPaths: ['pk', ...indexed].map((field) => ({ path: `/${field.replaceAll('.', '/')}/?` })),
  excludedPaths: [{ path: '/*' }],
  compositeIndexes: orders.map((field) =>
    [field, 'id'].map((name) => ({ path: `/${name}`, order: 'ascending' as const })),
  ),
});

/** Indexed in every container. */
const system = new Set(['/id', '/_ts']);

const isIncluded = ({ includedPaths = [] }: IndexingPolicy, path: string): boolean =>
  system.has(path) || includedPaths.some((included) => included.path === '/*' || included.path === `${path}/?`);

/** A composite index serves its order, and the reverse of all of it. */
function hasComposite({ compositeIndexes = [] }: IndexingPolicy, wanted: { path: string; descending: boolean }[]) {
  return compositeIndexes.some((index) => {
    if (index.length !== wanted.length || index.some(({ path }, i) => path !== wanted[i]?.path)) return false;
    const reversed = index.map(({ order }, i) => (order === 'descending') !== wanted[i]?.descending);
    return reversed.every((one) => one === reversed[0]);
  });
}

/** Throws 400, as Cosmos DB does, for an order that the container has no index for; a container without a policy has all that one property needs. */
export function checkOrder({ orderBy, from }: Query, policy: IndexingPolicy | undefined): void {
  if (policy === undefined || orderBy.length === 0) return;
  const alias = from[0]?.alias ?? '';
  const pathOf = ({ expression }: Ordering): string => `/${(propertyPath(expression, alias) ?? ['?']).join('/')}`;
  const wanted = orderBy.map((one) => ({ path: pathOf(one), descending: one.descending }));
  if (wanted.some(({ path }) => !isIncluded(policy, path)))
    throw badRequest('The index path corresponding to the specified order-by item is excluded.');
  if (wanted.length > 1 && !hasComposite(policy, wanted))
    throw badRequest('The order by query does not have a corresponding composite index that it can be served from.');
}
