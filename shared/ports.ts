/**
 * What every handler is handed. The Azure SDKs implement these in shared/azure; the fault simulator
 * implements them a second time. Nothing in functions/ or shared/ reaches the outside any other way.
 */
import type { DocumentTypes } from './document-types.ts';
import type { TreeParameters } from './dataset/tree.ts';
import type { Message } from './delivery/message.ts';
import type { Backoff } from './delivery/plan-redelivery.ts';
import type { BlobContainer, DocumentContainer, IndexedField, OrderedField, QueueName } from './resources.ts';
import type { ComputeName } from './project/settings.ts';
import type { Trainers } from './training/trainers.ts';

export interface Clock {
  now(): Date;
}

/** Random identifiers: only for things that no content and no cause can name. */
export interface Ids {
  /** 26 characters, lower case letters and digits, beginning with a letter */
  next(): string;
}

export interface Stored<T> {
  document: T;
  etag: string;
}

export type Scalar = string | number | boolean | null;

/** Only fields that have an index can be asked for: Cosmos DB refuses to sort by others and reads everything to filter. */
export interface DocumentQuery<C extends DocumentContainer> {
  /** one partition; leave out only for listings across partitions */
  pk?: string;
  /** fields that must be equal; `id` is indexed in every container */
  equals?: Partial<Record<IndexedField<C> | 'id', Scalar>>;
  orderBy?: { field: OrderedField<C>; descending: boolean };
  /** only documents whose `orderBy` field is beyond this value */
  after?: Scalar;
  /** 1..1000 documents per page */
  limit: number;
  continuation?: string;
}

export type BatchOperation<T> =
  | { kind: 'create'; document: T }
  | { kind: 'replace'; document: T; etag: string }
  | { kind: 'remove'; id: string; etag?: string };

/** Documents with compare-and-swap. Reads are strongly consistent. */
export interface Documents {
  read<C extends DocumentContainer>(
    container: C,
    pk: string,
    id: string,
  ): Promise<Stored<DocumentTypes[C]> | undefined>;
  create<C extends DocumentContainer>(
    container: C,
    document: DocumentTypes[C],
  ): Promise<Stored<DocumentTypes[C]> | 'exists'>;
  /** 'changed': the etag is not the current one, or the document is gone */
  replace<C extends DocumentContainer>(
    container: C,
    document: DocumentTypes[C],
    etag: string,
  ): Promise<Stored<DocumentTypes[C]> | 'changed'>;
  remove(container: DocumentContainer, pk: string, id: string, etag?: string): Promise<'removed' | 'changed' | 'gone'>;
  /** all or nothing, at most 100 operations of one partition; 'conflict': nothing was done */
  batch<C extends DocumentContainer>(
    container: C,
    pk: string,
    operations: BatchOperation<DocumentTypes[C]>[],
  ): Promise<'done' | 'conflict'>;
  query<C extends DocumentContainer>(
    container: C,
    query: DocumentQuery<C>,
  ): Promise<{ items: Stored<DocumentTypes[C]>[]; continuation?: string }>;
  count<C extends DocumentContainer>(container: C, query: Pick<DocumentQuery<C>, 'pk' | 'equals'>): Promise<number>;
}

export interface BlobContent {
  body: Buffer;
  /** without quotes, as in events */
  etag: string;
  contentType: string | undefined;
  metadata: Record<string, string>;
}

/** What a signed address allows. */
export type SignedPermission = 'read' | 'create' | 'overwrite' | 'create-any';

export interface Blobs {
  /**
   * undefined: no such blob (or `ifMatch` no longer fits); 'too-large': more than `maxBytes`, nothing was buffered. Throws a
   * TerminalError where the blob is there and cannot be read: archived, or encrypted with a key that its writer kept.
   */
  get(
    container: BlobContainer,
    name: string,
    options: { maxBytes: number; ifMatch?: string },
  ): Promise<BlobContent | 'too-large' | undefined>;
  /** write once: 'exists' when a blob of that name is already there, whatever its bytes */
  create(
    container: BlobContainer,
    name: string,
    body: Buffer | string,
    options?: { contentType?: string; metadata?: Record<string, string> },
  ): Promise<'created' | 'exists'>;
  /**
   * The same of a body that is passed on while it comes: this process holds a few MB of it at a time. Nothing is there until
   * all of it has come; rejects as `chunks` does.
   */
  createFrom(
    container: BlobContainer,
    name: string,
    chunks: AsyncIterable<Uint8Array>,
    options?: { contentType?: string },
  ): Promise<'created' | 'exists'>;
  /** last writer wins: only for documents of which one is as good as another */
  overwrite(
    container: BlobContainer,
    name: string,
    body: Buffer | string,
    options?: { contentType?: string },
  ): Promise<void>;
  exists(container: BlobContainer, name: string): Promise<boolean>;
  /** no error when there is no such blob */
  remove(container: BlobContainer, name: string): Promise<void>;
  stream(
    container: BlobContainer,
    name: string,
  ): Promise<{ body: AsyncIterable<Buffer>; sizeBytes: number; contentType: string | undefined } | undefined>;
  /** names under a prefix, at most `limit`; never used where a document can answer */
  list(container: BlobContainer, prefix: string, limit: number): Promise<string[]>;
  /** the same with their sizes, in order, page by page: `continuation` says where the next one begins, and is missing where there is none */
  page(
    container: BlobContainer,
    prefix: string,
    options: { limit: number; continuation?: string },
  ): Promise<{ blobs: { name: string; sizeBytes: number }[]; continuation?: string }>;
  /**
   * a signed address: 'read' of one blob, 'create' of one blob (never an overwrite), 'overwrite' of one blob (and no read of
   * it), or 'create-any' for the whole container
   */
  sign(container: BlobContainer, name: string, permission: SignedPermission, expiresAt: Date): Promise<string>;
}

export interface Messages {
  /** resolves once the broker has the message; `notBefore` schedules it */
  send(queue: QueueName, messages: Message[], notBefore?: Date): Promise<void>;
  /** sends nothing; rejects when the broker cannot be reached or lets us send nothing to this queue */
  reach(queue: QueueName): Promise<void>;
}

export interface Started {
  execution: string;
  /** where a person reads its log; undefined: compute names no such page */
  logsUrl?: string;
}

export type ExecutionState = 'pending' | 'running' | 'succeeded' | 'failed' | 'stopped' | 'unknown';

export interface Execution {
  name: string;
  state: ExecutionState;
  /** the environment the job was started with: DARKROOM_RUN, DARKROOM_TOKEN */
  environment: Record<string, string>;
  startedAt: string | undefined;
  logsUrl?: string;
  /** what compute says about how it stands, in plain words */
  reason?: string;
}

/** Where training jobs run. `start` need not be idempotent: claim first (docs/designs/2026-11-job-contract.md). */
export interface Compute {
  /**
   * Throws a TerminalError when no repetition helps, and a RetryLater with a code when it was refused for now; any other
   * error leaves open whether it took effect.
   */
  start(environment: Record<string, string>): Promise<Started>;
  /** Those of late. `startedWith`: part of the environment of what is looked for, which may spare compute the others. */
  list(startedWith?: Record<string, string>): Promise<Execution[]>;
  get(execution: string): Promise<Execution | undefined>;
  stop(execution: string): Promise<void>;
}

export interface StageRecord {
  stage: 'ingest' | 'commit' | 'train' | 'training-event' | 'evaluate' | 'deploy' | 'score' | 'sweep' | 'dead-letter';
  project: string;
  outcome: string;
  durationMs: number;
  ids: Record<string, string>;
}

export type MetricName = 'queue-age-seconds' | 'stage-milliseconds' | 'score-milliseconds';

/** Traces, one record per finished stage, and metrics for dashboards. Never fails the caller. */
export interface Telemetry {
  /**
   * Runs `work` as one span below `parent` (W3C traceparent; undefined begins a trace) and hands it the span's own
   * traceparent, which goes into whatever it sends. Rejects as `work` does.
   */
  span<T>(
    name: StageRecord['stage'],
    parent: string | undefined,
    work: (traceparent: string | undefined) => Promise<T>,
  ): Promise<T>;
  /** kept whatever the sampling */
  stage(record: StageRecord): void;
  metric(name: MetricName, value: number, attributes: Record<string, string>): void;
  problem(message: string, attributes?: Record<string, string>): void;
}

/** What is handed to every handler. */
export interface Ports {
  clock: Clock;
  ids: Ids;
  documents: Documents;
  blobs: Blobs;
  messages: Messages;
  /** where trainings run of projects that choose nothing else */
  compute: Compute;
  /** what projects may choose beside it (`trainer.compute`); left out: nothing */
  otherComputes?: Partial<Record<ComputeName, Compute>>;
  /** which trainers there are; left out: nobody said */
  trainers?: Trainers;
  telemetry: Telemetry;
  /** size of version tree nodes; left out everywhere but where small trees are to split and merge */
  tree?: TreeParameters;
  /** how long messages wait that are put off; left out where the default is right */
  backoff?: Backoff;
}
