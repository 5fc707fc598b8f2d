/** Documents with compare-and-swap, as Cosmos DB keeps them: JSON, etags, logical partitions, atomic batches, pages. */
import type { DocumentTypes } from '../../shared/document-types.ts';
import type { BatchOperation, Documents, Scalar, Stored } from '../../shared/ports.ts';
import { TerminalError } from '../../shared/errors.ts';
import type { DocumentContainer } from '../../shared/resources.ts';
import type { OperationKind, Scheduler } from './scheduler.ts';

type Any = { id: string; pk: string };
interface Kept {
  document: Any;
  /** what a reader gets a fresh copy of */
  json: string;
  etag: string;
  /** place in listings without an order */
  place: number;
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

/** of a document, and of the documents of a batch together */
const maxBytes = 2 * 1024 * 1024;
const maxBatch = 100;
const maxIdBytes = 1023;
const maxKeyBytes = 2048;

const fieldOf = (document: object, path: string): unknown =>
  path.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], document);

/** Cosmos DB's order of types that we keep: null before numbers before text. */
function compare(a: unknown, b: unknown): number {
  const rank = (v: unknown): number => (v === undefined ? 0 : v === null ? 1 : typeof v === 'number' ? 3 : 4);
  if (rank(a) !== rank(b)) return rank(a) - rank(b);
  if (a === b) return 0;
  return (a as string | number) < (b as string | number) ? -1 : 1;
}

/** Throws for what Cosmos DB does not take. */
function jsonOf(document: Any): string {
  const { id, pk } = document;
  if (id === '' || Buffer.byteLength(id) > maxIdBytes || /[/\\?#]| $/.test(id))
    throw new Error(`"${id}" cannot be the id of a document`);
  if (Buffer.byteLength(pk) > maxKeyBytes) throw new Error(`a partition key has at most ${maxKeyBytes} bytes`);
  const json = JSON.stringify(document);
  if (Buffer.byteLength(json) > maxBytes) throw new Error(`document ${id} has more than 2 MB`);
  return json;
}

function assertBatch(pk: string, operations: BatchOperation<Any>[]): void {
  if (operations.length > maxBatch) throw new Error(`a batch has at most ${maxBatch} operations`);
  const documents = operations.flatMap((operation) => (operation.kind === 'remove' ? [] : [operation.document]));
  if (documents.some((document) => document.pk !== pk)) throw new Error('a batch keeps to one partition');
  const bytes = documents.reduce((sum, document) => sum + Buffer.byteLength(jsonOf(document)), 0);
  if (bytes > maxBytes) throw new Error('the documents of a batch have more than 2 MB');
}

/** What a listing gave last: value of its field and id, or its place. */
function readContinuation(text: string): [Scalar | number, string | undefined] {
  try {
    const [value, id] = JSON.parse(text) as [Scalar, string | undefined];
    return [value, id];
  } catch {
    throw new TerminalError('invalid-continuation', 'This continuation was not given by a listing.');
  }
}

/** Creates an empty store whose operations the scheduler completes. */
export function createDocuments(scheduler: Pick<Scheduler, 'perform'>, onChange: OnChange): DocumentStore {
  const containers = new Map<string, Map<string, Map<string, Kept>>>();
  let etags = 0;
  let places = 0;
  const partition = (container: string, pk: string): Map<string, Kept> => {
    const partitions = containers.get(container) ?? new Map<string, Map<string, Kept>>();
    containers.set(container, partitions);
    const kept = partitions.get(pk) ?? new Map<string, Kept>();
    partitions.set(pk, kept);
    return kept;
  };
  const set = (container: DocumentContainer, value: Any): Kept => {
    const json = jsonOf(value);
    const documents = partition(container, value.pk);
    const before = documents.get(value.id);
    const etag = `"${String(++etags).padStart(8, '0')}"`;
    const kept = { document: JSON.parse(json) as Any, json, etag, place: before?.place ?? ++places };
    documents.set(value.id, kept);
    onChange(container, before?.document, kept.document);
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
      if (operations.length === 0) return Promise.resolve('done');
      return perform('batch', container, pk, 'write', () => {
        assertBatch(pk, operations);
        if (!fits(partition(container, pk), operations)) return 'conflict';
        for (const operation of operations) {
          if (operation.kind === 'remove') unset(container, pk, operation.id);
          else set(container, operation.document);
        }
        return 'done';
      });
    },
    query: (container, query) =>
      perform('query', container, query.pk ?? '*', 'read', () => {
        const { after, limit } = query;
        const field = query.orderBy?.field;
        const way = query.orderBy?.descending === true ? -1 : 1;
        // by field and then by id; without a field as they were written
        const orderOf = ({ document, place }: Kept): [unknown, string] =>
          field === undefined ? [place, ''] : [fieldOf(document, field), document.id];
        const order = ([a, idA]: [unknown, string], [b, idB]: [unknown, string]): number =>
          way * (compare(a, b) || compare(idA, idB));
        let found = matching(container, query);
        if (field !== undefined && after !== undefined)
          found = found.filter(({ document }) => compare(fieldOf(document, field), after) * way > 0);
        if (query.continuation !== undefined) {
          const [value, id = ''] = readContinuation(query.continuation);
          found = found.filter((kept) => order(orderOf(kept), [value, id]) > 0);
        }
        found.sort((a, b) => order(orderOf(a), orderOf(b)));
        const page = found.slice(0, limit);
        const items = page.map((kept) => stored<never>(kept));
        const last = page.at(-1);
        return last === undefined || found.length <= limit
          ? { items }
          : { items, continuation: JSON.stringify(orderOf(last)) };
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

/** Whether every operation can be done after those before it. */
function fits(documents: Map<string, Kept>, operations: BatchOperation<Any>[]): boolean {
  /** of documents that the batch has touched; undefined: removed */
  const touched = new Map<string, string | undefined>();
  return operations.every((operation) => {
    const id = operation.kind === 'remove' ? operation.id : operation.document.id;
    const etag = touched.has(id) ? touched.get(id) : documents.get(id)?.etag;
    touched.set(id, operation.kind === 'remove' ? undefined : 'new');
    if (operation.kind === 'create') return etag === undefined;
    return etag !== undefined && (operation.etag === undefined || etag === operation.etag);
  });
}
