/**
 * Azure Resource Manager over the SDKs' pipeline: tokens, bounded repetition as Retry-After asks, long-running
 * operations. Protocol: https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations
 */
import { type Client, getClient, type PathUncheckedResponse } from '@azure-rest/core-client';
import type { TokenCredential } from '@azure/core-auth';
import { createHttpPoller, type LroResponse } from '@azure/core-lro';
import { type PipelinePolicy, type PipelineResponse, retryPolicy, type RetryStrategy } from '@azure/core-rest-pipeline';
import { RetryLater, TerminalError } from '../errors.ts';
import { refusal, type TrainingService } from './arm-refusal.ts';

const armScope = 'https://management.azure.com/.default';
const requestLimitMs = 20_000;
const maxRetries = 3;
/** These refuse the look at an operation, and say nothing of the operation: it may have taken effect. */
const lookRefused = new Set([401, 403, 404, 408, 429]);
/** A longer wait is left to the queue: a message is locked meanwhile. */
const longestPauseMs = 5_000;
const firstPauseMs = 500;

export interface ArmAnswer {
  status: number;
  headers: Record<string, string>;
  body: unknown;
}

export interface Arm {
  /** Repeats what may pass; answers 404 with undefined. `what` begins the error of a refusal. */
  get(what: string, path: string, within?: AbortSignal): Promise<unknown>;
  /** Repeats what may pass: a PUT that is made twice has made one thing. A refusal throws. */
  put(what: string, path: string, body: unknown, within?: AbortSignal): Promise<ArmAnswer>;
  /** Sends once. A refusal throws, save for these statuses. */
  post(
    what: string,
    path: string,
    body?: unknown,
    options?: { fine?: number[]; within?: AbortSignal },
  ): Promise<ArmAnswer>;
  /**
   * Waits for the end of an operation that was accepted (202) and returns its result.
   * Throws a refusal when it failed, a RetryLater when it did not end in time.
   */
  settle(what: string, accepted: ArmAnswer, within: AbortSignal): Promise<unknown>;
}

/** Seconds or a date: https://www.rfc-editor.org/rfc/rfc9110#name-retry-after */
function retryAfterSeconds(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  const seconds = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - now) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, Math.ceil(seconds)) : undefined;
}

const mayPass = (status: number): boolean => status === 408 || status === 429 || status >= 500;

/** Repeats what may pass, as late as the other side asks, unless that is too long to wait for here. */
const patience: RetryStrategy = {
  name: 'arm-patience',
  retry({ response, responseError, retryCount }) {
    const answer: PipelineResponse | undefined = response ?? responseError?.response;
    if (answer !== undefined && !mayPass(answer.status)) return { skipStrategy: true };
    const asked = retryAfterSeconds(answer?.headers.get('retry-after'), Date.now());
    const pauseMs = asked === undefined ? firstPauseMs * 2 ** retryCount : asked * 1000;
    return pauseMs > longestPauseMs ? { skipStrategy: true } : { retryAfterInMs: pauseMs };
  },
};

/** What the work gives, unless the signal comes first: then its reason, which is an AbortError or a TimeoutError. */
async function unlessAborted<T>(signal: AbortSignal | undefined, work: Promise<T>): Promise<T> {
  if (signal === undefined) return work;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', abort, { once: true });
  // not thrown: the work has begun, and whoever races it hears how it ends
  if (signal.aborted) abort();
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** The stock bearer policy refuses plain http, which local services speak. */
const tokenPolicy = (credential: TokenCredential): PipelinePolicy => ({
  name: 'arm-token',
  async sendRequest(request, next) {
    // a managed identity does not listen to the signal
    const token = await unlessAborted(request.abortSignal as AbortSignal | undefined, credential.getToken(armScope));
    request.headers.set('authorization', `Bearer ${token?.token ?? ''}`);
    return next(request);
  },
});

const abortedBy = (signal: AbortSignal | undefined) => (signal === undefined ? {} : { abortSignal: signal });

const answerOf = ({ status, headers, body }: PathUncheckedResponse): ArmAnswer => ({
  status: Number(status),
  headers,
  body: body as unknown,
});
const toLro = ({ status, headers, body }: ArmAnswer): LroResponse => ({
  flatResponse: body,
  rawResponse: { statusCode: status, headers, body },
});

/** Looking at a job never ends a run: whoever looked comes again, and the trouble may be over by then. */
export async function passing<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw error instanceof TerminalError ? new RetryLater(error.message, { code: error.code }) : error;
  }
}

/** Connects to a service behind an ARM endpoint, with one API version. */
export function connectArm(
  endpoint: string,
  service: TrainingService & { apiVersion: string },
  credential: TokenCredential,
): Arm {
  const { apiVersion } = service;
  const refused = (what: string, { status, headers, body }: ArmAnswer): TerminalError | RetryLater =>
    refusal(service, what, status, body, retryAfterSeconds(headers['retry-after'], Date.now()));
  const connect = (repeats: number): Client =>
    getClient(endpoint, {
      allowInsecureConnection: endpoint.startsWith('http:'),
      retryOptions: { maxRetries: 0 },
      additionalPolicies: [
        { position: 'perCall', policy: retryPolicy([patience], { maxRetries: repeats }) },
        { position: 'perRetry', policy: tokenPolicy(credential) },
      ],
    });
  const patient = connect(maxRetries);
  const once = connect(0);

  const options = (within?: AbortSignal) => ({
    queryParameters: { 'api-version': apiVersion },
    timeout: requestLimitMs,
    ...abortedBy(within),
  });

  /** Addresses that answers name are followed on the same host only: the token goes with the request. */
  const read = async (path: string, within?: AbortSignal): Promise<ArmAnswer> => {
    const url = new URL(path, endpoint);
    if (url.origin !== new URL(endpoint).origin)
      throw new TerminalError('foreign-address', `Azure named an address on another host: ${url.origin}`);
    if (!url.searchParams.has('api-version')) url.searchParams.set('api-version', apiVersion);
    return answerOf(await patient.pathUnchecked(url.href).get({ timeout: requestLimitMs, ...abortedBy(within) }));
  };

  return {
    async get(what, path, within) {
      const answer = await read(path, within);
      if (answer.status === 404) return undefined;
      if (answer.status !== 200) throw refused(what, answer);
      return answer.body;
    },
    async put(what, path, body, within) {
      const answer = answerOf(await patient.pathUnchecked(path).put({ ...options(within), body }));
      if (answer.status >= 300) throw refused(what, answer);
      return answer;
    },
    async post(what, path, body, { fine = [], within } = {}) {
      const sent = { ...options(within), ...(body === undefined ? {} : { body }) };
      const answer = answerOf(await once.pathUnchecked(path).post(sent));
      if (answer.status >= 300 && !fine.includes(answer.status)) throw refused(what, answer);
      return answer;
    },
    async settle(what, accepted, within) {
      let last = accepted;
      const poller = await createHttpPoller<unknown, { status: 'running'; config: object }>(
        {
          sendInitialRequest: async () => toLro(accepted),
          sendPollRequest: async (path) => {
            last = await read(path, within);
            return toLro(last);
          },
        },
        { intervalInMs: 1000 },
      );
      try {
        return await poller.pollUntilDone({ abortSignal: within });
      } catch (error) {
        if (error instanceof TerminalError || error instanceof RetryLater) throw error;
        if (error instanceof Error && error.name === 'AbortError')
          throw new RetryLater(`${what} was accepted by Azure, but did not end in time`);
        if (lookRefused.has(last.status))
          throw new RetryLater(`${what} was accepted by Azure, and cannot be followed (${last.status})`);
        throw refused(what, last);
      }
    },
  };
}
