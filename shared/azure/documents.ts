/** Documents in Cosmos DB. */
import {
  type Container,
  type Database,
  ErrorResponse,
  type OperationInput,
  type QueryIterator,
  type SqlQuerySpec,
} from '@azure/cosmos';
import * as z from 'zod';
import type { DocumentTypes } from '../document-types.ts';
import type { BatchOperation, DocumentQuery, Documents, Scalar, Stored } from '../ports.ts';
import { TerminalError } from '../errors.ts';
import type { DocumentContainer } from '../resources.ts';
import { withoutVersion, withVersion } from './document-version.ts';
import { shareReads } from './share-reads.ts';

/** Where an ordered listing goes on: value of its field and id of the last document, so that new ones shift nothing. */
const continuationShape = z.tuple([z.union([z.string(), z.number()]), z.string()]);

/**
 * What Cosmos DB refuses as an id, or as a key of a partition: asked for it, the SDK throws or the service answers 400.
 * https://learn.microsoft.com/azure/cosmos-db/concepts-limits#per-item-limits
 */
const neverInIds = /[/\\?#]| $|^$/;
const maxIdBytes = 1023;
const maxPartitionKeyBytes = 2048;
/** how many empty pages one query goes through before its caller is asked to go on */
const maxEmptyPages = 100;
const canExist = (pk: string, id: string): boolean =>
  !neverInIds.test(id) && Buffer.byteLength(id) <= maxIdBytes && Buffer.byteLength(pk) <= maxPartitionKeyBytes;

function invalidContinuation(): TerminalError {
  return new TerminalError(
    'invalid-continuation',
    'This continuation was not given by a listing. Begin at the first page.',
  );
}

function readContinuation(text: string): z.infer<typeof continuationShape> {
  try {
    return continuationShape.parse(JSON.parse(text));
  } catch {
    throw invalidContinuation();
  }
}

function valueAt(document: object, name: string): unknown {
  return name
    .split('.')
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], document);
}

const fieldPattern = /^[A-Za-z][A-Za-z0-9]*(\.[A-Za-z][A-Za-z0-9]*)*$/;

/** Strips what Cosmos adds (`_rid`, `_ts`, ...) and the version, so that a document read equals the document written. */
function toStored<T>(container: DocumentContainer, resource: object): Stored<T> {
  const entries = Object.entries(resource as Record<string, unknown>);
  const etag = (resource as { _etag: string })._etag;
  const document = withoutVersion(container, Object.fromEntries(entries.filter(([key]) => !key.startsWith('_'))));
  return { document: document as T, etag };
}

const statusOf = (error: unknown): number | undefined =>
  error instanceof ErrorResponse && typeof error.code === 'number' ? error.code : undefined;

function field(name: string): string {
  if (!fieldPattern.test(name)) throw new Error(`not a field name: ${name}`);
  return `c.${name}`;
}

function conditions<C extends DocumentContainer>(
  query: Partial<DocumentQuery<C>>,
): {
  where: string;
  parameters: { name: string; value: Scalar }[];
} {
  const parts: string[] = [];
  const parameters: { name: string; value: Scalar }[] = [];
  const equals: Partial<Record<string, Scalar>> = query.equals ?? {};
  for (const [name, value] of Object.entries(equals)) {
    if (value === undefined) continue;
    parts.push(`${field(name)} = @p${parameters.length}`);
    parameters.push({ name: `@p${parameters.length}`, value });
  }
  if (query.after !== undefined && query.orderBy !== undefined) {
    parts.push(`${field(query.orderBy.field)} ${query.orderBy.descending ? '<' : '>'} @p${parameters.length}`);
    parameters.push({ name: `@p${parameters.length}`, value: query.after });
  }
  if (query.orderBy !== undefined && query.continuation !== undefined) {
    const [value, id] = readContinuation(query.continuation);
    const beyond = query.orderBy.descending ? '<' : '>';
    const name = field(query.orderBy.field);
    const [v, i] = [`@p${parameters.length}`, `@p${parameters.length + 1}`];
    parts.push(`(${name} ${beyond} ${v} OR (${name} = ${v} AND c.id ${beyond} ${i}))`);
    parameters.push({ name: v, value }, { name: i, value: id });
  }
  return { where: parts.length === 0 ? '' : ` WHERE ${parts.join(' AND ')}`, parameters };
}

/**
 * The next page that has something on it. Cosmos DB gives empty pages with a continuation, where a query crosses
 * partitions or has used up its share of time: whoever looks for one document would take it for "there is none".
 */
async function firstWithItems<T>(
  iterator: QueryIterator<T>,
): Promise<{ resources: T[]; continuation: string | undefined }> {
  for (let pages = 1; ; pages++) {
    const { resources, continuationToken } = await iterator.fetchNext();
    // the SDK's types do not say so: behind the last document there are no resources at all
    const found = (resources as T[] | undefined) ?? [];
    if (found.length > 0 || !continuationToken || pages === maxEmptyPages)
      return { resources: found, continuation: continuationToken };
  }
}

/** Adapts a Cosmos database to the documents port. Throttling is retried by the SDK; what it cannot mend is thrown. */
export function cosmosDocuments(database: Database): Documents {
  const containers = new Map<string, Container>();
  const of = (name: DocumentContainer): Container => {
    const known = containers.get(name) ?? database.container(name);
    containers.set(name, known);
    return known;
  };

  // many pictures of one project come at once, and each asks for its settings and its head
  const shared = shareReads<object | undefined>();
  return {
    async read(container, pk, id) {
      if (!canExist(pk, id)) return undefined;
      const load = async () => (await of(container).item(id, pk).read<object>()).resource;
      const resource = await shared(JSON.stringify([container, pk, id]), load);
      return resource === undefined ? undefined : toStored(container, resource);
    },
    async create(container, document) {
      try {
        // without this the SDK makes up an id for a document whose id is empty
        const options = { disableAutomaticIdGeneration: true };
        const response = await of(container).items.create(withVersion(container, document), options);
        return toStored(container, response.resource ?? {});
      } catch (error) {
        if (statusOf(error) === 409) return 'exists';
        throw error;
      }
    },
    async replace(container, document, etag) {
      const accessCondition = { type: 'IfMatch', condition: etag };
      try {
        const response = await of(container)
          .item(document.id, document.pk)
          .replace(withVersion(container, document), { accessCondition });
        return toStored(container, response.resource ?? {});
      } catch (error) {
        if (statusOf(error) === 412 || statusOf(error) === 404) return 'changed';
        throw error;
      }
    },
    async remove(container, pk, id, etag) {
      const options = etag === undefined ? {} : { accessCondition: { type: 'IfMatch', condition: etag } };
      try {
        await of(container).item(id, pk).delete(options);
        return 'removed';
      } catch (error) {
        if (statusOf(error) === 404) return 'gone';
        if (statusOf(error) === 412) return 'changed';
        throw error;
      }
    },
    async batch(container, pk, operations) {
      if (operations.length === 0) return 'done';
      const response = await of(container).items.batch(
        operations.map((operation) => toOperation(container, operation)),
        pk,
      );
      if (response.code === 200) return 'done';
      const codes = (response.result ?? []).map((r) => r.statusCode);
      const culprit = codes.find((code) => code !== 424 && (code < 200 || code > 299));
      if (culprit === 404 || culprit === 409 || culprit === 412) return 'conflict';
      const failed = `batch of ${operations.length} on ${container}/${pk} failed: ${response.code} ${codes.join(' ')}`;
      throw Object.assign(new Error(failed), { code: culprit ?? response.code });
    },
    async query(container, query) {
      const { where, parameters } = conditions(query);
      const options = query.pk === undefined ? {} : { partitionKey: query.pk };
      if (query.orderBy !== undefined) {
        const direction = query.orderBy.descending ? 'DESC' : 'ASC';
        const order = `${field(query.orderBy.field)} ${direction}, c.id ${direction}`;
        const spec: SqlQuerySpec = {
          query: `SELECT TOP ${query.limit} * FROM c${where} ORDER BY ${order}`,
          parameters,
        };
        const { resources } = await of(container).items.query<object>(spec, options).fetchAll();
        const items = resources.map((r) => toStored<DocumentTypes[typeof container]>(container, r));
        const last = items.length === query.limit ? items.at(-1)?.document : undefined;
        if (last === undefined) return { items };
        return { items, continuation: JSON.stringify([valueAt(last, query.orderBy.field), last.id]) };
      }
      const spec: SqlQuerySpec = { query: `SELECT * FROM c${where}`, parameters };
      const feed = query.continuation === undefined ? {} : { continuationToken: query.continuation };
      const iterator = of(container).items.query<object>(spec, { ...options, ...feed, maxItemCount: query.limit });
      const page = await firstWithItems(iterator).catch((error: unknown) => {
        throw query.continuation !== undefined && statusOf(error) === 400 ? invalidContinuation() : error;
      });
      const next = page.continuation ? { continuation: page.continuation } : {};
      return { items: page.resources.map((r) => toStored<DocumentTypes[typeof container]>(container, r)), ...next };
    },
    async count(container, query) {
      const { where, parameters } = conditions(query);
      const options = query.pk === undefined ? {} : { partitionKey: query.pk };
      const spec: SqlQuerySpec = { query: `SELECT VALUE COUNT(1) FROM c${where}`, parameters };
      const { resources } = await of(container).items.query<number>(spec, options).fetchAll();
      return resources[0] ?? 0;
    },
  };
}

function toOperation<T extends { id: string }>(
  container: DocumentContainer,
  operation: BatchOperation<T>,
): OperationInput {
  switch (operation.kind) {
    case 'create':
      return { operationType: 'Create', resourceBody: withVersion(container, operation.document) as never };
    case 'replace':
      return {
        operationType: 'Replace',
        id: operation.document.id,
        resourceBody: withVersion(container, operation.document) as never,
        ifMatch: operation.etag,
      };
    case 'remove':
      return {
        operationType: 'Delete',
        id: operation.id,
        ...(operation.etag === undefined ? {} : { ifMatch: operation.etag }),
      };
  }
}
