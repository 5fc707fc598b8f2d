/**
 * Every queue, blob container and document container of Darkroom, declared once.
 * Code, the embedded platform and the Bicep templates all read this list.
 */

/** Queue settings as Service Bus knows them (Basic tier features only). */
export const queues = {
  'blob-created': { lockSeconds: 60, maxDeliveryCount: 10 },
  'dataset-commits': { lockSeconds: 60, maxDeliveryCount: 10 },
  'training-requests': { lockSeconds: 60, maxDeliveryCount: 10 },
  'training-events': { lockSeconds: 60, maxDeliveryCount: 10 },
  evaluations: { lockSeconds: 60, maxDeliveryCount: 10 },
  deployments: { lockSeconds: 60, maxDeliveryCount: 10 },
} as const;
export type QueueName = keyof typeof queues;
export const queueNames = Object.keys(queues) as QueueName[];

/** Blob containers: who writes what. */
export const blobContainers = {
  /** originals, written by apps through upload URLs; events go to `blob-created` */
  uploads: { events: 'blob-created' },
  /** copies of refused uploads, kept 30 days */
  quarantine: { events: null },
  /** `{project}/files/md5/..` (a DVC remote) and `{project}/tree/..` (version trees) */
  datasets: { events: null },
  /** `{project}/{run}/{token}/..`: job document, manifest, outputs of a training job */
  jobs: { events: null },
  /** `{project}/{run}/{token}/{sequence}.json`; events go to `training-events` */
  'job-reports': { events: 'training-events' },
  /** `{project}/{sha256}.onnx`, and evaluation shards */
  models: { events: null },
  /** events that could not be delivered */
  undelivered: { events: null },
} as const satisfies Record<string, { events: QueueName | null }>;
export type BlobContainer = keyof typeof blobContainers;

/** Cosmos DB containers, all partitioned by `/pk`; `ttlSeconds` is the default time to live (null: keep for ever). */
export const documentContainers = {
  projects: { partitionKey: '/pk', ttlSeconds: null },
  keys: { partitionKey: '/pk', ttlSeconds: null },
  uploads: { partitionKey: '/pk', ttlSeconds: null },
  samples: { partitionKey: '/pk', ttlSeconds: null },
  staged: { partitionKey: '/pk', ttlSeconds: null },
  windows: { partitionKey: '/pk', ttlSeconds: null },
  heads: { partitionKey: '/pk', ttlSeconds: null },
  versions: { partitionKey: '/pk', ttlSeconds: null },
  schedulers: { partitionKey: '/pk', ttlSeconds: null },
  runs: { partitionKey: '/pk', ttlSeconds: null },
  models: { partitionKey: '/pk', ttlSeconds: null },
  endpoints: { partitionKey: '/pk', ttlSeconds: null },
  predictions: { partitionKey: '/pk', ttlSeconds: 90 * 24 * 3600 },
  events: { partitionKey: '/pk', ttlSeconds: null },
  'dead-letters': { partitionKey: '/pk', ttlSeconds: null },
} as const satisfies Record<string, { partitionKey: '/pk'; ttlSeconds: number | null }>;
export type DocumentContainer = keyof typeof documentContainers;

export const databaseName = 'darkroom';
