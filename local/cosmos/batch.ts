/** Several operations in one request: a transactional batch, or the bulk form without a transaction. */
import * as z from 'zod';
import type { Operation, Outcome } from './documents.ts';
import { badRequest, Failure } from './failure.ts';
import { keyOfHeader } from './partition-key.ts';
import type { ContainerRecord, Store } from './store.ts';

/** the service's own limit */
const maxOperations = 100;
/** of all documents together; a request is a little longer than they are */
const maxBatchBytes = 2 * 1024 * 1024;

const batchBody = z.array(
  z.object({
    operationType: z.enum(['Create', 'Upsert', 'Read', 'Delete', 'Replace', 'Patch']),
    id: z.string().optional(),
    resourceBody: z.unknown().optional(),
    ifMatch: z.string().optional(),
    ifNoneMatch: z.string().optional(),
    /** in the bulk form every operation names its partition, as JSON */
    partitionKey: z.string().optional(),
  }),
);
type Item = z.infer<typeof batchBody>[number];

function toOperation(item: Item, key: string): Operation {
  const conditions = { key, ifMatch: item.ifMatch, ifNoneMatch: item.ifNoneMatch };
  const { operationType: type, resourceBody } = item;
  if (type === 'Create' || type === 'Upsert') return { type, document: resourceBody, ...conditions };
  if (item.id === undefined) throw badRequest(`${type} in a batch needs an id`);
  if (type === 'Replace') return { type, id: item.id, document: resourceBody, ...conditions };
  if (type === 'Patch') return { type, id: item.id, patch: resourceBody, ...conditions };
  return { type, id: item.id, ...conditions };
}

const success = ({ status, etag, body }: Outcome) => ({
  statusCode: status,
  requestCharge: 1,
  ...(etag === undefined ? {} : { eTag: etag }),
  ...(body === undefined ? {} : { resourceBody: JSON.parse(body) as unknown }),
});
const failure = (error: Failure) => ({
  statusCode: error.status,
  requestCharge: 1,
  ...(error.substatus === undefined ? {} : { subStatusCode: error.substatus }),
});

export interface BatchRequest {
  body: unknown;
  /** all or nothing, in one partition */
  atomic: boolean;
  /** the partition key header */
  key: string | undefined;
}

/** Runs a batch. Status 200: all succeeded; 207: see each; of an atomic batch nothing was kept then. Throws 400. */
export function runBatch(
  store: Store,
  operate: (container: ContainerRecord, operation: Operation) => Outcome,
  container: ContainerRecord,
  { body, atomic, key }: BatchRequest,
): { status: number; body: object[] } {
  const parsed = batchBody.safeParse(body);
  if (!parsed.success) throw badRequest(`The batch is not valid: ${z.prettifyError(parsed.error)}`);
  const items = parsed.data;
  if (items.length > maxOperations)
    throw badRequest(`Batch request has more operations than what is supported (${maxOperations}).`);
  const bytes = items.reduce((sum, item) => sum + Buffer.byteLength(JSON.stringify(item.resourceBody ?? null)), 0);
  if (bytes > maxBatchBytes) throw new Failure(413, 'Request size is too large');
  const { paths } = container.definition.partitionKey;
  const results: object[] = [];
  let failed: Failure | undefined;
  const run = () => {
    for (const item of items) {
      try {
        const itemKey = keyOfHeader(paths, atomic ? key : (item.partitionKey ?? key));
        results.push(success(operate(container, toOperation(item, itemKey))));
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        failed = error;
        if (atomic) throw error;
        results.push(failure(error));
      }
    }
  };
  try {
    store.transaction(run);
  } catch (error) {
    if (!atomic || failed === undefined || error !== failed) throw error;
    const culprit = failed;
    const position = results.length;
    // 424: not done because another operation failed
    return {
      status: 207,
      body: items.map((_, i) => (i === position ? failure(culprit) : { statusCode: 424, requestCharge: 0 })),
    };
  }
  return { status: failed === undefined ? 200 : 207, body: results };
}
