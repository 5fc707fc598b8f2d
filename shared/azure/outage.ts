/** A service that cannot be reached, is overloaded or lets nobody in is no defect of ours: whoever called is told to come back. */
import { RetryLater } from '../errors.ts';

const transportCodes = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'EPIPE', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH'],
  // what the SDKs make of them: core-rest-pipeline (PARSE_ERROR: the answer ended in its middle), Cosmos DB, Service Bus
  ...['REQUEST_SEND_ERROR', 'PARSE_ERROR', 'AbortError', 'TimeoutError'],
  ...['ServiceTimeout', 'ServiceBusy', 'ServiceCommunicationProblem'],
  // the identity gets no token now
  'CredentialUnavailableError',
]);

const socketCalls = new Set(['connect', 'getaddrinfo', 'read', 'write']);
/** all that the Service Bus SDK says of a connection that ended while it was being opened (core-amqp's `translate`, rhea-promise) */
const brokenOff = new Set(['Unknown error encountered.', 'Failed to connect']);

const busy = (status: unknown): boolean =>
  typeof status === 'number' && (status === 408 || status === 429 || status === 449 || (status >= 500 && status < 600));

/** Whether an error of an SDK says that its service was not reached, was too busy, or failed inside. */
export function isOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  // the Service Bus SDK gives what each of its tries met
  if (error instanceof AggregateError) return error.errors.length > 0 && error.errors.every(isOutage);
  const { code, statusCode, retryable, syscall } = error as Error & {
    code?: unknown;
    statusCode?: unknown;
    retryable?: unknown;
    syscall?: unknown;
  };
  // Cosmos DB's SDK wraps what a batch met in an error that says nothing itself
  if (code === undefined && statusCode === undefined && error.cause instanceof Error && isOutage(error.cause))
    return true;
  // the Service Bus SDK calls it retryable
  if (code === 'MessageSizeExceeded') return false;
  return (
    transportCodes.has(String(code)) ||
    transportCodes.has(error.name) ||
    busy(code) ||
    busy(statusCode) ||
    // a refused connection of the Service Bus SDK has lost its code: it is a GeneralError
    socketCalls.has(String(syscall)) ||
    brokenOff.has(error.message) ||
    retryable === true
  );
}

/** Whether a service did not let us in: a role works minutes after it was assigned, and no input is the cause. */
function isAccessRefused(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  const { code, statusCode } = error as Error & { code?: unknown; statusCode?: unknown };
  return code === 'UnauthorizedAccess' || [code, statusCode].some((status) => status === 401 || status === 403);
}

/** The same port, whose outages are `RetryLater` with the service's name; every other error stays what it is. */
export function namingOutages<T extends object>(service: string, port: T): T {
  const wrapped = Object.entries(port).map(([name, method]: [string, unknown]) => {
    if (typeof method !== 'function') return [name, method];
    const call = async (...parameters: unknown[]): Promise<unknown> => {
      try {
        return (await (method as (...p: unknown[]) => unknown).apply(port, parameters)) as unknown;
      } catch (error) {
        if (error instanceof RetryLater) {
          const { message, code, afterSeconds } = error;
          throw new RetryLater(message, { code, afterSeconds, service });
        }
        if (isAccessRefused(error))
          throw new RetryLater(
            `${service} did not let this process in (${error.message.slice(0, 300)}). Does its identity have the roles that the templates assign?`,
            { code: 'access-refused' },
          );
        if (!isOutage(error)) throw error;
        const { message } = (error instanceof AggregateError ? error.errors.at(-1) : error) as Error;
        throw new RetryLater(`${service} did not answer (${message.slice(0, 300)}); it is tried again.`, { service });
      }
    };
    return [name, call];
  });
  return Object.fromEntries(wrapped) as T;
}
