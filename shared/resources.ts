/**
 * Every queue, blob container and document container of Darkroom, declared once.
 * Code, the embedded platform and the Bicep templates all read this list.
 */

/** Queue settings as Service Bus knows them (Basic tier features only). */
export const queues = {
  'blob-created': { lockSeconds: 60, maxDeliveryCount: 10 },
  'dataset-commits': { lockSeconds: 60, maxDeliveryCount: 10 },
  trainings: { lockSeconds: 60, maxDeliveryCount: 10 },
  'training-events': { lockSeconds: 60, maxDeliveryCount: 10 },
  evaluations: { lockSeconds: 60, maxDeliveryCount: 10 },
  deployments: { lockSeconds: 60, maxDeliveryCount: 10 },
} as const;
export type QueueName = keyof typeof queues;
export const queueNames = Object.keys(queues) as QueueName[];

/**
 * Blob containers: who writes what. `events`: the queue that gets an event for every finished write.
 * `expiresAfterDays`: days after its last write at which a blob is deleted by the storage service (null: never).
 */
export const blobContainers = {
  /** originals, written by apps through upload URLs; longer than a message can wait (14 days), so that it can be replayed */
  uploads: { events: 'blob-created', expiresAfterDays: 30 },
  /** copies of refused uploads */
  quarantine: { events: null, expiresAfterDays: 30 },
  /** `{project}/files/md5/..` (a DVC remote) and `{project}/tree/..` (version trees) */
  datasets: { events: null, expiresAfterDays: null },
  /** `{project}/batches/{batch}/..`: parts and results of batches; `{project}/{run}/{token}/..`: job document, manifest, outputs of a training job; models are copied to `models` */
  jobs: { events: null, expiresAfterDays: 30 },
  /** `{project}/{run}/{token}/{sequence}.json` */
  'job-reports': { events: 'training-events', expiresAfterDays: 30 },
  /** `{project}/{sha256}.onnx`, and evaluation shards */
  models: { events: null, expiresAfterDays: null },
  /** events that could not be delivered; the sweep sends them again */
  undelivered: { events: null, expiresAfterDays: 30 },
} as const satisfies Record<string, { events: QueueName | null; expiresAfterDays: number | null }>;
export type BlobContainer = keyof typeof blobContainers;

/**
 * Cosmos DB containers, all partitioned by `/pk`. `ttlSeconds` is the default time to live (null: keep for ever).
 * `indexed`: the fields that queries filter or sort by, those of an object after a dot; nothing else is indexed, so that writes stay cheap.
 * `orders`: the fields that listings are ordered by; each has a composite index with `id`, which breaks ties.
 */
export const documentContainers = {
  projects: { partitionKey: '/pk', ttlSeconds: null, indexed: [], orders: [] },
  keys: { partitionKey: '/pk', ttlSeconds: null, indexed: ['project', 'createdAt'], orders: ['createdAt'] },
  uploads: {
    partitionKey: '/pk',
    ttlSeconds: null,
    indexed: ['project', 'status', 'blob', 'receivedAt'],
    orders: ['receivedAt'],
  },
  samples: {
    partitionKey: '/pk',
    ttlSeconds: null,
    // what task kinds ask for of their annotations stands here as well
    indexed: ['project', 'source', 'annotation.label', 'createdAt'],
    orders: ['createdAt'],
  },
  /** which sample shows which pixels */
  pixels: { partitionKey: '/pk', ttlSeconds: null, indexed: [], orders: [] },
  staged: { partitionKey: '/pk', ttlSeconds: null, indexed: ['stagedAt'], orders: ['stagedAt'] },
  windows: { partitionKey: '/pk', ttlSeconds: null, indexed: [], orders: [] },
  heads: { partitionKey: '/pk', ttlSeconds: null, indexed: [], orders: [] },
  versions: { partitionKey: '/pk', ttlSeconds: null, indexed: ['number'], orders: ['number'] },
  schedulers: { partitionKey: '/pk', ttlSeconds: null, indexed: [], orders: [] },
  runs: { partitionKey: '/pk', ttlSeconds: null, indexed: ['createdAt'], orders: ['createdAt'] },
  models: { partitionKey: '/pk', ttlSeconds: null, indexed: ['number', 'digest'], orders: ['number'] },
  batches: { partitionKey: '/pk', ttlSeconds: null, indexed: ['state', 'createdAt'], orders: ['createdAt'] },
  endpoints: { partitionKey: '/pk', ttlSeconds: null, indexed: [], orders: [] },
  predictions: {
    partitionKey: '/pk',
    ttlSeconds: 90 * 24 * 3600,
    indexed: ['project', 'deployment', 'error'],
    orders: [],
  },
  events: { partitionKey: '/pk', ttlSeconds: null, indexed: ['at'], orders: ['at'] },
  'dead-letters': { partitionKey: '/pk', ttlSeconds: null, indexed: ['status', 'lastAt'], orders: ['lastAt'] },
  /** what an Idempotency-Key was used for first */
  requests: { partitionKey: '/pk', ttlSeconds: 24 * 3600, indexed: [], orders: [] },
} as const satisfies Record<
  string,
  { partitionKey: '/pk'; ttlSeconds: number | null; indexed: readonly string[]; orders: readonly string[] }
>;
export type DocumentContainer = keyof typeof documentContainers;
export type IndexedField<C extends DocumentContainer> = (typeof documentContainers)[C]['indexed'][number];
export type OrderedField<C extends DocumentContainer> = (typeof documentContainers)[C]['orders'][number];

export const databaseName = 'darkroom';
/** schedule of the only timer, with seconds first, in UTC; a timer's runs are what an idle environment computes */
export const sweepSchedule = '0 */15 * * * *';
/** What Azure Functions hands on of a request at most, and more than is taken of any, so that ours are the words of a refusal. */
export const maxRequestBytes = 210 * 1024 * 1024;
/** name of the Container Apps job that runs trainings */
export const trainerJob = 'trainer';
