/** What use costs, from operations that a test counts in the code. */
import { prices } from './prices.ts';

/** Operations by name, as the ports have them. */
export type Operations = Record<string, number>;

/**
 * Request units of one operation on a document of about 1 KB with few indexed fields, at strong consistency, which
 * doubles reads (https://learn.microsoft.com/azure/cosmos-db/request-units). The capacity calculator gives as much.
 */
const ruOf: Record<string, number> = {
  'documents.read': 2,
  'documents.query': 6,
  'documents.query.item': 0.1,
  'documents.count': 6,
  'documents.create': 8,
  'documents.replace': 11,
  'documents.remove': 8,
  'documents.batch': 0,
  'documents.batch.item': 9,
};

/** Request units of operations. */
export function requestUnits(operations: Operations): number {
  let units = 0;
  for (const [name, count] of Object.entries(operations)) {
    if (!name.startsWith('documents.')) continue;
    const each = ruOf[name];
    if (each === undefined) throw new Error(`no request units for ${name}: add it to infra/costs/usage.ts`);
    units += each * count;
  }
  return units;
}

/** A document operation that one picture needs, and what would be lost without it. */
export interface NeededOperation {
  operation: string;
  container: string;
  why: string;
}

/** What one accepted, labelled picture needs of the documents from its event to the committed version; a test counts it. */
export const operationsPerImage: NeededOperation[] = [
  { operation: 'read', container: 'projects', why: 'settings in force when the picture comes' },
  {
    operation: 'create',
    container: 'uploads',
    why: 'what a delivery that comes again, or finds the original overwritten, goes on from',
  },
  { operation: 'create', container: 'pixels', why: 'of files with the same pixels one becomes a sample' },
  { operation: 'create', container: 'samples', why: 'the sample' },
  { operation: 'create', container: 'staged', why: 'what the next version takes, in one partition' },
  { operation: 'read', container: 'heads', why: 'after staging: whether a commit will come' },
  { operation: 'replace', container: 'uploads', why: 'the outcome' },
  { operation: 'read', container: 'samples', why: 'commit: the annotation as it is now' },
  { operation: 'batch', container: 'samples', why: 'commit: key and first version; up to 100 in one request' },
  { operation: 'batch', container: 'staged', why: 'commit: not staged any more; up to 100 in one request' },
];

/** What one score needs; key, endpoint, model and project are remembered for a second or longer. */
export const operationsPerScore: NeededOperation[] = [
  { operation: 'create', container: 'predictions', why: 'the record of the prediction' },
];

/** What 1,000 accepted uploads of one burst make the code do, from their events to the committed version. */
export const thousandUploads: Operations = {
  'documents.read': 3000,
  'documents.create': 4000,
  'documents.replace': 1000,
  'documents.query.item': 1000,
  'documents.batch.item': 2000,
  'blobs.get': 1000,
  'blobs.create': 1000,
  'messages.send': 3,
};

/** What scoring 1,000 images in half a minute makes the code do; the API key is read once in that time. */
export const thousandScores: Operations = {
  'documents.read': 30,
  'documents.create': 1000,
  'blobs.get': 1,
};

/** How often a training is heard of and looked at while it runs (shared/training/messages.ts, job.ts). */
export const heartbeatsPerHour = 3600 / 10;
export const checksPerHour = 3600 / 20;

/** What the checks and heartbeats of a training make the code do in an hour. */
export const trainingHour: Operations = {
  'documents.read': 900,
  'documents.create': 180,
  'documents.replace': 540,
  'blobs.get': 360,
  'messages.send': 180,
};

/** A message is sent, received and completed. */
const operationsPerMessage = 3;

export interface Usage {
  operations: Operations;
  /** seconds for which an instance is billed, and its memory */
  seconds: number;
  memoryGb: number;
  executions: number;
  logKilobytes: number;
  /** storage events */
  events: number;
}

/** USD of some use, by service, without any free grant. */
export function usageCost({
  operations,
  seconds,
  memoryGb,
  executions,
  logKilobytes,
  events,
}: Usage): Record<string, number> {
  const count = (name: string): number => operations[name] ?? 0;
  const messages = count('messages.send') + events;
  const writes = count('blobs.create') + count('blobs.overwrite') + count('blobs.list');
  return {
    'Cosmos DB': (requestUnits(operations) / 1e6) * prices.cosmos.perMillionRu,
    'Blob storage': (writes / 1e4) * prices.blob.per10kWrites + (count('blobs.get') / 1e4) * prices.blob.per10kReads,
    'Service Bus': ((messages * operationsPerMessage) / 1e6) * prices.serviceBus.perMillionOperations,
    'Event Grid': (events / 1e6) * prices.eventGrid.perMillionOperations,
    Functions:
      seconds * memoryGb * prices.functions.gbSecond + (executions / 1e6) * prices.functions.perMillionExecutions,
    Logs: (logKilobytes / 1024 / 1024) * prices.monitor.logGb,
  };
}
