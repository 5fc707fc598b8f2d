/**
 * Every queue, blob container and document container of Darkroom, declared once.
 * Code, the embedded platform and the Bicep templates all read this list.
 */
/** Queue settings as Service Bus knows them (Basic tier features only). */
export declare const queues: {
  readonly 'blob-created': {
    readonly lockSeconds: 60;
    readonly maxDeliveryCount: 10;
  };
  readonly 'dataset-commits': {
    readonly lockSeconds: 60;
    readonly maxDeliveryCount: 10;
  };
  readonly trainings: {
    readonly lockSeconds: 60;
    readonly maxDeliveryCount: 10;
  };
  readonly 'training-events': {
    readonly lockSeconds: 60;
    readonly maxDeliveryCount: 10;
  };
  readonly evaluations: {
    readonly lockSeconds: 60;
    readonly maxDeliveryCount: 10;
  };
  readonly deployments: {
    readonly lockSeconds: 60;
    readonly maxDeliveryCount: 10;
  };
};
export type QueueName = keyof typeof queues;
export declare const queueNames: QueueName[];
/**
 * Blob containers: who writes what. `events`: the queue that gets an event for every finished write.
 * `expiresAfterDays`: days after its last write at which a blob is deleted by the storage service (null: never).
 */
export declare const blobContainers: {
  /** originals, written by apps through upload URLs; longer than a message can wait (14 days), so that it can be replayed */
  readonly uploads: {
    readonly events: 'blob-created';
    readonly expiresAfterDays: 30;
  };
  /** copies of refused uploads */
  readonly quarantine: {
    readonly events: null;
    readonly expiresAfterDays: 30;
  };
  /** `{project}/files/md5/..` (a DVC remote) and `{project}/tree/..` (version trees) */
  readonly datasets: {
    readonly events: null;
    readonly expiresAfterDays: null;
  };
  /** `{project}/{run}/{token}/..`: job document, manifest, outputs of a training job; models are copied to `models` */
  readonly jobs: {
    readonly events: null;
    readonly expiresAfterDays: 30;
  };
  /** `{project}/{run}/{token}/{sequence}.json` */
  readonly 'job-reports': {
    readonly events: 'training-events';
    readonly expiresAfterDays: 30;
  };
  /** `{project}/{sha256}.onnx`, and evaluation shards */
  readonly models: {
    readonly events: null;
    readonly expiresAfterDays: null;
  };
  /** events that could not be delivered; the sweep sends them again */
  readonly undelivered: {
    readonly events: null;
    readonly expiresAfterDays: 30;
  };
};
export type BlobContainer = keyof typeof blobContainers;
/**
 * Cosmos DB containers, all partitioned by `/pk`. `ttlSeconds` is the default time to live (null: keep for ever).
 * `indexed`: the fields that queries filter or sort by, those of an object after a dot; nothing else is indexed, so that writes stay cheap.
 * `orders`: the fields that listings are ordered by; each has a composite index with `id`, which breaks ties.
 */
export declare const documentContainers: {
  readonly projects: {
    readonly partitionKey: '/pk';
    readonly ttlSeconds: null;
    readonly indexed: readonly [];
    readonly orders: readonly [];
  };
  readonly keys: {
    readonly partitionKey: '/pk';
    readonly ttlSeconds: null;
    readonly indexed: readonly ['project', 'createdAt'];
    readonly orders: readonly ['createdAt'];
  };
  readonly uploads: {
    readonly partitionKey: '/pk';
    readonly ttlSeconds: null;
    readonly indexed: readonly ['project', 'status', 'blob', 'receivedAt'];
    readonly orders: readonly ['receivedAt'];
  };
  readonly samples: {
    readonly partitionKey: '/pk';
    readonly ttlSeconds: null;
    readonly indexed: readonly ['project', 'source', 'annotation.label', 'createdAt'];
    readonly orders: readonly ['createdAt'];
  };
  /** which sample shows which pixels */
  readonly pixels: {
    readonly partitionKey: '/pk';
    readonly ttlSeconds: null;
    readonly indexed: readonly [];
    readonly orders: readonly [];
  };
  readonly staged: {
    readonly partitionKey: '/pk';
    readonly ttlSeconds: null;
    readonly indexed: readonly ['stagedAt'];
    readonly orders: readonly ['stagedAt'];
  };
  readonly windows: {
    readonly partitionKey: '/pk';
    readonly ttlSeconds: null;
    readonly indexed: readonly [];
    readonly orders: readonly [];
  };
  readonly heads: {
    readonly partitionKey: '/pk';
    readonly ttlSeconds: null;
    readonly indexed: readonly [];
    readonly orders: readonly [];
  };
  readonly versions: {
    readonly partitionKey: '/pk';
    readonly ttlSeconds: null;
    readonly indexed: readonly ['number'];
    readonly orders: readonly ['number'];
  };
  readonly schedulers: {
    readonly partitionKey: '/pk';
    readonly ttlSeconds: null;
    readonly indexed: readonly [];
    readonly orders: readonly [];
  };
  readonly runs: {
    readonly partitionKey: '/pk';
    readonly ttlSeconds: null;
    readonly indexed: readonly ['createdAt'];
    readonly orders: readonly ['createdAt'];
  };
  readonly models: {
    readonly partitionKey: '/pk';
    readonly ttlSeconds: null;
    readonly indexed: readonly ['number', 'digest'];
    readonly orders: readonly ['number'];
  };
  readonly endpoints: {
    readonly partitionKey: '/pk';
    readonly ttlSeconds: null;
    readonly indexed: readonly [];
    readonly orders: readonly [];
  };
  readonly predictions: {
    readonly partitionKey: '/pk';
    readonly ttlSeconds: number;
    readonly indexed: readonly ['project', 'deployment', 'error'];
    readonly orders: readonly [];
  };
  readonly events: {
    readonly partitionKey: '/pk';
    readonly ttlSeconds: null;
    readonly indexed: readonly ['at'];
    readonly orders: readonly ['at'];
  };
  readonly 'dead-letters': {
    readonly partitionKey: '/pk';
    readonly ttlSeconds: null;
    readonly indexed: readonly ['status', 'lastAt'];
    readonly orders: readonly ['lastAt'];
  };
  /** what an Idempotency-Key was used for first */
  readonly requests: {
    readonly partitionKey: '/pk';
    readonly ttlSeconds: number;
    readonly indexed: readonly [];
    readonly orders: readonly [];
  };
};
export type DocumentContainer = keyof typeof documentContainers;
export type IndexedField<C extends DocumentContainer> = (typeof documentContainers)[C]['indexed'][number];
export type OrderedField<C extends DocumentContainer> = (typeof documentContainers)[C]['orders'][number];
export declare const databaseName = 'darkroom';
/** schedule of the only timer, with seconds first, in UTC; a timer's runs are what an idle environment computes */
export declare const sweepSchedule = '0 */15 * * * *';
/** name of the Container Apps job that runs trainings */
export declare const trainerJob = 'trainer';
