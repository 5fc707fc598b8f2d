/** The account, databases, containers and partition key ranges, as documents of the REST API. */
import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { checkId } from './documents.ts';
import { badRequest, conflict, notFound } from './failure.ts';
import { indexingPolicy } from './indexes.ts';
import { containerRid, databaseRid, partitionKeyRangeRid } from './resource-id.ts';
import type { ContainerRecord, DatabaseRecord, Definition, Store } from './store.ts';

const definitionBody = z.looseObject({
  id: z.string(),
  partitionKey: z.looseObject({
    paths: z
      .array(z.string().regex(/^(?:\/[^/]+)+$/))
      .min(1)
      .max(3),
    kind: z.string().default('Hash'),
    version: z.int().optional(),
  }),
  defaultTtl: z
    .union([z.int().min(1).max(2_147_483_647), z.literal(-1)])
    .nullish()
    .transform((ttl) => ttl ?? undefined),
  indexingPolicy: indexingPolicy.optional(),
  uniqueKeyPolicy: z
    .looseObject({ uniqueKeys: z.array(z.unknown()).max(0, 'not supported by the local endpoint').optional() })
    .optional(),
});

function parseDefinition(body: unknown): Definition {
  const parsed = definitionBody.safeParse(body);
  if (!parsed.success) throw badRequest(`The container is not valid: ${z.prettifyError(parsed.error)}`);
  checkId(parsed.data.id);
  return parsed.data;
}

const newEtag = (): string => `"${randomUUID()}"`;

/** The account: SDKs read from it where to go and what queries may hold. */
export function accountBody(endpoint: string): object {
  const here = [{ name: 'Local', databaseAccountEndpoint: endpoint }];
  const replication = { minReplicaSetSize: 1, maxReplicasetSize: 4 };
  const limits = {
    maxSqlQueryInputLength: 524288,
    maxJoinsPerSqlQuery: 10,
    maxLogicalAndPerSqlQuery: 2000,
    maxLogicalOrPerSqlQuery: 2000,
    maxInExpressionItemsCount: 16000,
  };
  const features = {
    sqlAllowAggregateFunctions: true,
    sqlAllowSubQuery: true,
    sqlAllowScalarSubQuery: true,
    sqlAllowNewKeywords: true,
    sqlAllowLike: true,
    sqlAllowTop: true,
    sqlAllowGroupByClause: true,
    enableSpatialIndexing: false,
    queryMaxInMemorySortDocumentCount: -500,
  };
  return {
    _self: '',
    id: 'local',
    _rid: 'local',
    media: '//media/',
    addresses: '//addresses/',
    _dbs: '//dbs/',
    writableLocations: here,
    readableLocations: here,
    enableMultipleWriteLocations: false,
    continuousBackupEnabled: false,
    userReplicationPolicy: { asyncReplication: false, ...replication },
    systemReplicationPolicy: replication,
    userConsistencyPolicy: { defaultConsistencyLevel: 'Session' },
    readPolicy: { primaryReadCoefficient: 1, secondaryReadCoefficient: 1 },
    queryEngineConfiguration: JSON.stringify({ ...limits, ...features }),
  };
}

/** A database as the service shows it. */
export const databaseBody = ({ number, id, ts, etag }: DatabaseRecord) => {
  const rid = databaseRid(number);
  return { id, _rid: rid, _self: `dbs/${rid}/`, _etag: etag, _colls: 'colls/', _users: 'users/', _ts: ts };
};

/** A container as the service shows it. */
export const containerBody = ({ database, number, definition, ts, etag }: ContainerRecord) => {
  const rid = containerRid(database.number, number);
  return {
    indexingPolicy: {
      indexingMode: 'consistent',
      automatic: true,
      includedPaths: [{ path: '/*' }],
      excludedPaths: [{ path: '/"_etag"/?' }],
    },
    conflictResolutionPolicy: {
      mode: 'LastWriterWins',
      conflictResolutionPath: '/_ts',
      conflictResolutionProcedure: '',
    },
    ...definition,
    _rid: rid,
    _ts: ts,
    _self: `dbs/${databaseRid(database.number)}/colls/${rid}/`,
    _etag: etag,
    _docs: 'docs/',
    _sprocs: 'sprocs/',
    _triggers: 'triggers/',
    _udfs: 'udfs/',
    _conflicts: 'conflicts/',
  };
};

/** The one partition key range of a container. */
export function partitionKeyRangeBody({ database, number, etag, ts }: ContainerRecord) {
  const rid = partitionKeyRangeRid(database.number, number);
  return {
    _rid: rid,
    id: '0',
    _etag: etag,
    minInclusive: '',
    maxExclusive: 'FF',
    ridPrefix: 0,
    _self: `dbs/${databaseRid(database.number)}/colls/${containerRid(database.number, number)}/pkranges/${rid}/`,
    throughputFraction: 1,
    status: 'online',
    parents: [],
    _ts: ts,
  };
}

/** Databases and containers of one store. Containers are looked up with every request, so they are kept in memory. */
export function openResources(store: Store) {
  const containers = new Map<string, ContainerRecord>();

  const database = (idOrRid: string): DatabaseRecord => {
    const found = store.databases().find(({ id, number }) => id === idOrRid || databaseRid(number) === idOrRid);
    if (found === undefined) throw notFound();
    return found;
  };
  const container = (databaseId: string, idOrRid: string): ContainerRecord => {
    const key = `${databaseId}/${idOrRid}`;
    const known = containers.get(key);
    if (known !== undefined) return known;
    const parent = database(databaseId);
    const found = store
      .containers(parent)
      .find(({ id, number }) => id === idOrRid || containerRid(parent.number, number) === idOrRid);
    if (found === undefined) throw notFound();
    containers.set(key, found);
    return found;
  };

  return {
    database,
    container,
    createDatabase(body: unknown): DatabaseRecord {
      const id = checkId((body as { id?: unknown } | undefined)?.id);
      if (store.databases().some((other) => other.id === id)) throw conflict();
      store.createDatabase(id, newEtag());
      return database(id);
    },
    deleteDatabase(id: string): void {
      const found = database(id);
      containers.clear();
      store.transaction(() => store.deleteDatabase(found));
    },
    createContainer(databaseId: string, body: unknown): ContainerRecord {
      const definition = parseDefinition(body);
      const parent = database(databaseId);
      if (store.containers(parent).some(({ id }) => id === definition.id)) throw conflict();
      store.transaction(() => store.createContainer(parent, definition, newEtag()));
      return container(databaseId, definition.id);
    },
    /** Replaces settings such as the default time to live; id and partition key stay. Throws 400, 404. */
    replaceContainer(databaseId: string, id: string, body: unknown): ContainerRecord {
      const definition = parseDefinition(body);
      const before = container(databaseId, id);
      const isSame =
        before.id === definition.id &&
        JSON.stringify(before.definition.partitionKey.paths) === JSON.stringify(definition.partitionKey.paths);
      if (!isSame) throw badRequest('The id and the partition key of a container cannot be replaced');
      containers.clear();
      store.transaction(() => store.replaceContainer(before, definition, newEtag()));
      return container(databaseId, id);
    },
    deleteContainer(databaseId: string, id: string): void {
      const found = container(databaseId, id);
      containers.clear();
      store.transaction(() => store.deleteContainer(found));
    },
  };
}
