/** Documents with compare-and-swap, as Cosmos DB keeps them: JSON, etags, logical partitions, atomic batches, pages. */
import type { DocumentTypes } from '../../shared/documents.ts';
import type { BatchOperation, Documents, Scalar, Stored } from '../../shared/ports.ts';
import type { DocumentContainer } from '../../shared/resources.ts';
import type { OperationKind, Scheduler } from './scheduler.ts';

type Any = { id: string; pk: string };
interface Kept {
  document: Any;
  /** what a reader gets a fresh copy of */
  json: string;
  etag: string;
}

/** Told of every change, at the moment it happens. */
export type OnChange = (container: DocumentContainer, before: Any | undefined, after: Any | undefined) => void;

export interface DocumentStore {
  /** what handlers use */
  port: Documents;
  /** what checks use: no operations, no faults */
  all<C extends DocumentContainer>(container: C): DocumentTypes[C][];
  find<C extends DocumentContainer>(container: C, pk: string, id: string): DocumentTypes[C] | undefined;
  put<C extends DocumentContainer>(container: C, document: DocumentTypes[C]): void;
}

const maxDocumentBytes = 2 * 1024 * 1024;
const maxBatch = 100;

const fieldOf = (document: object, path: string): unknown =>
  path.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], document);

/** Cosmos DB's order of types that we keep: null before numbers before text. */
function compare(a: unknown, b: unknown): number {
  const rank = (v: unknown): number => (v === undefined ? 0 : v === null ? 1 : typeof v === 'number' ? 3 : 4);
  if (rank(a) !== rank(b)) return rank(a) - rank(b);
  if (a === b) return 0;
  return (a as string | number) < (b as string | number) ? -1 : 1;
}

function assertId(id: string): void {
  if (id === '' || id.length > 255 || /[/\\?#]/.test(id)) throw new Error(`"${id}" cannot be the id of a document`);
}

/** Creates an empty store whose operations the scheduler completes. */
export function createDocuments(scheduler: Pick<Scheduler, 'perform'>, onChange: OnChange): DocumentStore {
  const containers = new Map<string, Map<string, Map<string, Kept>>>();
  let etags = 0;
  const partition = (container: string, pk: string): Map<string, Kept> => {
    const partitions = containers.get(container) ?? new Map<string, Map<string, Kept>>();
    containers.set(container, partitions);
    const kept = partitions.get(pk) ?? new Map<string, Kept>();
    partitions.set(pk, kept);
    return kept;
  };
  const set = (container: DocumentContainer, value: Any): Kept => {
    assertId(value.id);
    const json = JSON.stringify(value);
    if (json.length > maxDocumentBytes) throw new Error(`document ${value.id} has more than 2 MB`);
    const documents = partition(container, value.pk);
    const before = documents.get(value.id)?.document;
    const kept = { document: JSON.parse(json) as Any, json, etag: `"${String(++etags).padStart(8, '0')}"` };
    documents.set(value.id, kept);
    onChange(container, before, kept.document);
    return kept;
  };
  const unset = (container: DocumentContainer, pk: string, id: string): void => {
    const before = partition(container, pk).get(id)?.document;
    partition(container, pk).delete(id);
    onChange(container, before, undefined);
  };
  const stored = <T>(kept: Kept): Stored<T> => ({ document: JSON.parse(kept.json) as T, etag: kept.etag });
  const every = (container: string, pk: string | undefined): Kept[] =>
    pk === undefined
      ? [...(containers.get(container)?.values() ?? [])].flatMap((documents) => [...documents.values()])
      : [...partition(container, pk).values()];
  const matching = (
    container: string,
    { pk, equals = {} }: { pk?: string; equals?: Partial<Record<string, Scalar>> },
  ): Kept[] => {
    const conditions = Object.entries(equals).filter(([, value]) => value !== undefined);
    return every(container, pk).filter(({ document }) =>
      conditions.every(([field, value]) => fieldOf(document, field) === value),
    );
  };
  const perform = <T>(name: string, container: string, id: string, kind: OperationKind, effect: () => T): Promise<T> =>
    scheduler.perform(`${name} ${container}`, id, kind, effect);

  const port: Documents = {
    read: (container, pk, id) =>
      perform('read', container, id, 'read', () => {
        const kept = partition(container, pk).get(id);
        return kept === undefined ? undefined : stored(kept);
      }),
    create: (container, document) =>
      perform('create', container, document.id, 'write', () =>
        partition(container, document.pk).has(document.id) ? 'exists' : stored(set(container, document)),
      ),
    replace: (container, document, etag) =>
      perform('replace', container, document.id, 'write', () =>
        partition(container, document.pk).get(document.id)?.etag === etag
          ? stored(set(container, document))
          : 'changed',
      ),
    remove: (container, pk, id, etag) =>
      perform('remove', container, id, 'write', () => {
        const kept = partition(container, pk).get(id);
        if (kept === undefined) return 'gone';
        if (etag !== undefined && kept.etag !== etag) return 'changed';
        unset(container, pk, id);
        return 'removed';
      }),
    batch(container, pk, operations) {
      if (operations.length > maxBatch) return Promise.reject(new Error(`a batch has at most ${maxBatch} operations`));
      if (operations.length === 0) return Promise.resolve('done');
      return perform('batch', container, pk, 'write', () => {
        const fits = operations.every((operation) => allowed(partition(container, pk), operation));
        if (!fits) return 'conflict';
        for (const operation of operations) {
          if (operation.kind === 'remove') unset(container, pk, operation.id);
          else set(container, operation.document);
        }
        return 'done';
      });
    },
    query: (container, query) =>
      perform('query', container, query.pk ?? '*', 'read', () => {
        const { orderBy, after, limit } = query;
        let found = matching(container, query);
        if (orderBy !== undefined) {
          const { field, descending } = orderBy;
          const way = descending ? -1 : 1;
          if (after !== undefined)
            found = found.filter(({ document }) => compare(fieldOf(document, field), after) * way > 0);
          found.sort((a, b) => compare(fieldOf(a.document, field), fieldOf(b.document, field)) * way);
        }
        const from = Number(query.continuation ?? 0);
        const items = found.slice(from, from + limit).map((kept) => stored<never>(kept));
        return from + limit < found.length ? { items, continuation: String(from + limit) } : { items };
      }),
    count: (container, query) =>
      perform('count', container, query.pk ?? '*', 'read', () => matching(container, query).length),
  };
  return {
    port,
    all: (container) => every(container, undefined).map(({ document }) => document as never),
    find: (container, pk, id) => partition(container, pk).get(id)?.document as never,
    put: (container, document) => void set(container, document),
  };
}

function allowed(documents: Map<string, Kept>, operation: BatchOperation<Any>): boolean {
  const kept = documents.get(operation.kind === 'remove' ? operation.id : operation.document.id);
  if (operation.kind === 'create') return kept === undefined;
  return kept !== undefined && (operation.etag === undefined || kept.etag === operation.etag);
}
