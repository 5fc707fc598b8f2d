/** What goes wrong with training jobs in Azure, to be met here on purpose: one trouble for one start call. */
import { randomUUID } from 'node:crypto';
import { ArmError } from './arm.ts';

export type Trouble =
  /** nothing is wrong: the next trouble is for a later start */
  | { kind: 'none' }
  /** refused as quota, policies and missing registrations are; nothing starts */
  | { kind: 'refused'; status: number; code: string; message: string; retryAfterSeconds?: number }
  /** accepted without a name: the operation that Location names answers 202 this many times, then the execution */
  | { kind: 'slow'; polls: number }
  /** accepted, and the operation fails; with another status than 400 it is the look at it that is refused */
  | { kind: 'provisioning-failed'; status?: number; code: string; message: string }
  /** accepted, and never heard of again */
  | { kind: 'lost' }
  /** starts, but its caller is answered 503 */
  | { kind: 'answer-lost' }
  /** stays Processing: no machine is free (container-apps #1579) */
  | { kind: 'stuck' }
  /** Failed before its command runs, as when the image cannot be pulled (container-apps #1511) */
  | { kind: 'no-pull'; information: string }
  /** runs to its end and is Running ever after (container-apps #1649) */
  | { kind: 'unreported-end' };

interface Operation {
  pollsLeft: number;
  result: { status: number; body: unknown };
}

const maxOperations = 1000;

/** Operations of a resource provider that a 202 has promised, by the address in its Location header. */
export function createOperations(provider: string) {
  const pathOfOperations = `/providers/${provider}/locations/local/operationResults/`;
  const operationPath = new RegExp(`^/subscriptions/[^/]+${pathOfOperations}([^/]+)$`, 'i');
  const operations = new Map<string, Operation>();
  return {
    /** Path of a new operation that is running for so many polls. */
    begin(subscription: string, operation: Operation): string {
      if (operations.size >= maxOperations) throw new ArmError(429, 'TooManyRequests', 'too many operations');
      const id = randomUUID();
      operations.set(id, operation);
      return `/subscriptions/${subscription}${pathOfOperations}${id}`;
    },
    /** The answer to a poll; undefined when the path is not that of an operation. */
    poll(path: string): { status: number; headers?: Record<string, string>; body: unknown } | undefined {
      const id = operationPath.exec(path)?.[1];
      if (id === undefined) return undefined;
      const operation = operations.get(id);
      if (operation === undefined) throw new ArmError(404, 'OperationNotFound', `There is no operation ${id}`);
      if (operation.pollsLeft-- > 0) return { status: 202, headers: { location: path, 'retry-after': '0' }, body: '' };
      return operation.result;
    },
  };
}

/** What ARM answers to a start that is refused. */
export function refusalOf(trouble: Extract<Trouble, { kind: 'refused' }>) {
  const { status, code, message, retryAfterSeconds } = trouble;
  return {
    status,
    ...(retryAfterSeconds === undefined ? {} : { headers: { 'retry-after': String(retryAfterSeconds) } }),
    body: { error: { code, message } },
  };
}
