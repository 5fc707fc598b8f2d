/** From a request to the operation it means, and from its result to status, headers and body. */
import type { IncomingHttpHeaders } from 'node:http';
import { runBatch } from './batch.ts';
import { documentOperations, type Outcome } from './documents.ts';
import { badRequest, Failure, notFound } from './failure.ts';
import {
  assertServable,
  type Page,
  pageSize,
  planOf,
  queryList,
  queryPage,
  readChanges,
  readPage,
  readQuery,
} from './feed.ts';
import { keyOf, keyOfHeader, scopeOfHeader } from './partition-key.ts';
import { containerRid, documentNumber } from './resource-id.ts';
import { accountBody, containerBody, databaseBody, type openResources, partitionKeyRangeBody } from './resources.ts';
import type { ContainerRecord, Store } from './store.ts';

export interface Request {
  method: string;
  /** of the path, decoded */
  segments: string[];
  headers: IncomingHttpHeaders;
  /** parsed JSON; undefined without a body */
  body: unknown;
}

export interface Answer {
  status: number;
  headers: Record<string, string>;
  /** JSON */
  body?: string;
}

const header = (headers: IncomingHttpHeaders, name: string): string | undefined => {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
};
const flag = (headers: IncomingHttpHeaders, name: string): boolean => header(headers, name)?.toLowerCase() === 'true';
/** Python asks for the plan of a query with the header for that alone, as plain JSON. */
const isQuery = (headers: IncomingHttpHeaders): boolean =>
  flag(headers, 'x-ms-documentdb-isquery') ||
  flag(headers, 'x-ms-cosmos-is-query-plan-request') ||
  header(headers, 'content-type')?.startsWith('application/query+json') === true;

const json = (status: number, body: object & { _etag?: string }): Answer => ({
  status,
  headers: body._etag === undefined ? {} : { etag: body._etag },
  body: JSON.stringify(body),
});

/** A page in the envelope of its kind, e.g. `Documents`. */
function feed(kind: string, rid: string, { results, continuation }: Page): Answer {
  return {
    status: 200,
    headers: {
      'x-ms-item-count': String(results.length),
      ...(continuation === undefined ? {} : { 'x-ms-continuation': continuation }),
    },
    body: `{"_rid":${JSON.stringify(rid)},"${kind}":[${results.join()}],"_count":${results.length}}`,
  };
}

function outcome({ status, etag, body }: Outcome, headers: IncomingHttpHeaders, isWrite: boolean): Answer {
  const isMinimal = isWrite && header(headers, 'prefer')?.toLowerCase() === 'return=minimal';
  return {
    status,
    headers: etag === undefined ? {} : { etag },
    ...(body === undefined || isMinimal ? {} : { body }),
  };
}

/** A container has one partition key range here: parts of it are not addressable. */
function assertWholeRange(headers: IncomingHttpHeaders): void {
  const id = header(headers, 'x-ms-documentdb-partitionkeyrangeid');
  const isWhole =
    (id === undefined || id === '0' || id.endsWith(',0')) &&
    (header(headers, 'x-ms-start-epk') ?? '') === '' &&
    (header(headers, 'x-ms-end-epk') ?? 'FF') === 'FF';
  if (!isWhole) throw badRequest('Parts of a partition key range are not supported by the local endpoint');
}

type Resources = ReturnType<typeof openResources>;

/** Makes the function that answers requests on a store. It throws Failure for everything but success. */
export function routes(store: Store, resources: Resources, endpoint: () => string): (request: Request) => Answer {
  const operate = documentOperations(store);

  const list = ({ headers, body }: Request, kind: string, rid: string, all: object[]): Answer => {
    const size = pageSize(header(headers, 'x-ms-max-item-count'));
    const ready = isQuery(headers) ? readQuery(body) : readQuery({ query: 'SELECT * FROM r' });
    return feed(kind, rid, queryList(all, ready, size, header(headers, 'x-ms-continuation')));
  };

  const onDatabases = (request: Request): Answer => {
    if (request.method === 'POST' && !isQuery(request.headers))
      return json(201, databaseBody(resources.createDatabase(request.body)));
    return list(request, 'Databases', '', store.databases().map(databaseBody));
  };

  const onDatabase = ({ method }: Request, id: string): Answer => {
    if (method === 'GET') return json(200, databaseBody(resources.database(id)));
    if (method !== 'DELETE') throw new Failure(405, `${method} is not possible on a database`);
    resources.deleteDatabase(id);
    return { status: 204, headers: {} };
  };

  const onContainers = (request: Request, databaseId: string): Answer => {
    const { method, headers, body } = request;
    if (method === 'POST' && !isQuery(headers))
      return json(201, containerBody(resources.createContainer(databaseId, body)));
    const database = resources.database(databaseId);
    return list(
      request,
      'DocumentCollections',
      databaseBody(database)._rid,
      store.containers(database).map(containerBody),
    );
  };

  const onContainer = ({ method, body }: Request, databaseId: string, id: string): Answer => {
    if (method === 'GET') return json(200, containerBody(resources.container(databaseId, id)));
    if (method === 'PUT') return json(200, containerBody(resources.replaceContainer(databaseId, id, body)));
    if (method !== 'DELETE') throw new Failure(405, `${method} is not possible on a container`);
    resources.deleteContainer(databaseId, id);
    return { status: 204, headers: {} };
  };

  const onChanges = ({ headers }: Request, container: ContainerRecord): Answer => {
    if (header(headers, 'a-im') !== 'Incremental Feed')
      throw badRequest('Only the latest-version change feed is supported by the local endpoint');
    const { results, etag } = readChanges(store, container, {
      scope: scopeOfHeader(container.definition.partitionKey.paths, header(headers, 'x-ms-documentdb-partitionkey')),
      size: pageSize(header(headers, 'x-ms-max-item-count')),
      ifNoneMatch: header(headers, 'if-none-match'),
      ifModifiedSince: header(headers, 'if-modified-since'),
    });
    // .NET counts also what a 304 brings
    if (results.length === 0) return { status: 304, headers: { etag, 'x-ms-item-count': '0' } };
    const answer = feed('Documents', containerRid(container.database.number, container.number), {
      results,
      continuation: undefined,
    });
    return { ...answer, headers: { ...answer.headers, etag } };
  };

  const onDocuments = (request: Request, container: ContainerRecord): Answer => {
    const { method, headers, body } = request;
    const { paths } = container.definition.partitionKey;
    const key = header(headers, 'x-ms-documentdb-partitionkey');
    if (flag(headers, 'x-ms-cosmos-is-batch-request')) {
      const { status, body: results } = runBatch(store, operate, container, {
        body,
        key,
        atomic: flag(headers, 'x-ms-cosmos-batch-atomic'),
      });
      return { status, headers: {}, body: JSON.stringify(results) };
    }
    if (method === 'GET' || isQuery(headers)) {
      assertWholeRange(headers);
      if (header(headers, 'a-im') !== undefined) return onChanges(request, container);
      return onDocumentQuery(request, container);
    }
    if (method !== 'POST') throw new Failure(405, `${method} is not possible on documents`);
    const type = flag(headers, 'x-ms-documentdb-is-upsert') ? 'Upsert' : 'Create';
    const documentKey = key === undefined ? keyOf(paths, body) : keyOfHeader(paths, key);
    const conditions = { ifMatch: header(headers, 'if-match'), ifNoneMatch: header(headers, 'if-none-match') };
    return outcome(operate(container, { type, document: body, key: documentKey, ...conditions }), headers, true);
  };

  const onDocumentQuery = ({ method, headers, body }: Request, container: ContainerRecord): Answer => {
    const scope = scopeOfHeader(
      container.definition.partitionKey.paths,
      header(headers, 'x-ms-documentdb-partitionkey'),
    );
    const size = pageSize(header(headers, 'x-ms-max-item-count'));
    const continuation = header(headers, 'x-ms-continuation');
    const rid = containerRid(container.database.number, container.number);
    if (method === 'GET') return feed('Documents', rid, readPage(store, container, scope, size, continuation));
    const ready = readQuery(body);
    if (flag(headers, 'x-ms-cosmos-is-query-plan-request')) return json(200, planOf(ready));
    const isOneRange = header(headers, 'x-ms-documentdb-partitionkeyrangeid') !== undefined;
    if (scope.kind === 'all' && !isOneRange) assertServable(ready);
    return feed('Documents', rid, queryPage(store, container, scope, ready, size, continuation));
  };

  /** Who reaches a container by its `_rid` reaches its documents by theirs: Python follows `_self` (delete_item(document)). */
  const idOf = (container: ContainerRecord, containerId: string, item: string): string => {
    if (containerId !== containerRid(container.database.number, container.number)) return item;
    const number = documentNumber(item, container.database.number, container.number);
    return (number === undefined ? undefined : store.idOf(container, number)) ?? item;
  };

  const onDocument = ({ method, headers, body }: Request, container: ContainerRecord, id: string): Answer => {
    const key = keyOfHeader(container.definition.partitionKey.paths, header(headers, 'x-ms-documentdb-partitionkey'));
    const common = { id, key, ifMatch: header(headers, 'if-match'), ifNoneMatch: header(headers, 'if-none-match') };
    if (method === 'GET') return outcome(operate(container, { type: 'Read', ...common }), headers, false);
    if (method === 'DELETE') return outcome(operate(container, { type: 'Delete', ...common }), headers, true);
    if (method === 'PUT')
      return outcome(operate(container, { type: 'Replace', document: body, ...common }), headers, true);
    if (method === 'PATCH')
      return outcome(operate(container, { type: 'Patch', patch: body, ...common }), headers, true);
    throw new Failure(405, `${method} is not possible on a document`);
  };

  /** Read as a change feed until nothing is new (.NET, Java); the one range never changes. */
  const onPartitionKeyRanges = (request: Request, container: ContainerRecord, rid: string): Answer => {
    const range = partitionKeyRangeBody(container);
    const headers = { etag: range._etag };
    if (header(request.headers, 'if-none-match') === range._etag) return { status: 304, headers };
    const answer = list(request, 'PartitionKeyRanges', rid, [range]);
    return { ...answer, headers: { ...headers, ...answer.headers } };
  };

  const inContainer = (
    request: Request,
    databaseId: string,
    id: string,
    kind: string,
    item: string | undefined,
  ): Answer => {
    const container = resources.container(databaseId, id);
    const rid = containerRid(container.database.number, container.number);
    let answer: Answer;
    if (kind === 'docs' && item === undefined) answer = onDocuments(request, container);
    else if (kind === 'docs' && item !== undefined) answer = onDocument(request, container, idOf(container, id, item));
    else if (kind === 'pkranges') answer = onPartitionKeyRanges(request, container, rid);
    else throw badRequest(`'${kind}' is not supported by the local endpoint`);
    const session = {
      'x-ms-session-token': `0:-1#${store.lastNumber}`,
      'x-ms-alt-content-path': `dbs/${container.database.id}/colls/${container.id}`,
      'x-ms-content-path': rid,
    };
    return { ...answer, headers: { ...session, ...answer.headers } };
  };

  return (request) => {
    const [dbs, databaseId, colls, containerId, kind, item, ...rest] = request.segments;
    if (dbs === undefined) return json(200, accountBody(endpoint()));
    if (dbs !== 'dbs' || (colls !== undefined && colls !== 'colls') || rest.length > 0) throw notFound();
    if (databaseId === undefined) return onDatabases(request);
    if (colls === undefined) return onDatabase(request, databaseId);
    if (containerId === undefined) return onContainers(request, databaseId);
    if (kind === undefined) return onContainer(request, databaseId, containerId);
    return inContainer(request, databaseId, containerId, kind, item);
  };
}
