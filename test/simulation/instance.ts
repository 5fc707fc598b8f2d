/** One functions instance: the real registrations over the fakes, in a process that may die at any operation. */
import type { HttpRequest, InvocationContext } from '@azure/functions';
import { type BackendPorts, addFunctions } from '../../functions/triggers.ts';
import { RetryLater } from '../../shared/errors.ts';
import type { Broker, Delivery, QueuePath } from './broker.ts';
import type { Faults } from './faults.ts';
import type { Process, Scheduler } from './scheduler.ts';

interface QueueFunction {
  name: string;
  handler: (body: unknown, context: InvocationContext) => unknown;
  busy: number;
}

export interface HttpAnswer {
  status: number;
  json: Record<string, unknown>;
  headers: Record<string, string>;
}

export interface HttpCall {
  route: string;
  params: Record<string, string>;
  query?: Record<string, string>;
  body?: Buffer;
  headers?: Record<string, string>;
}

export interface Instance {
  process: Process;
  /** takes a message unless it is busy */
  take(delivery: Delivery): boolean;
  /** rejects when the process dies first */
  call(call: HttpCall): Promise<HttpAnswer>;
  /** what the timer does; ends when it ends */
  sweep(): void;
}

/** messages of one queue that an instance works on at once */
export const maxConcurrentCalls = 4;

/** Registers the backend in a new process. `odd` hears of errors that no fault explains. */
export function createInstance(
  { scheduler, broker, faults }: { scheduler: Scheduler; broker: Broker; faults: Faults },
  process: Process,
  ports: BackendPorts,
  odd: (what: string) => void,
): Instance {
  const queues = new Map<QueuePath, QueueFunction>();
  const routes = new Map<string, { path: string; method: string; handler: (...args: never[]) => unknown }>();
  let timer: ((...args: never[]) => unknown) | undefined;
  addFunctions(
    {
      serviceBusQueue: (name, { queueName, handler }) =>
        void queues.set(queueName as QueuePath, { name, handler: handler as QueueFunction['handler'], busy: 0 }),
      timer: (_name, { handler }) => void (timer = handler),
      http: (name, options) => {
        if (!('route' in options) || options.route === undefined) throw new Error(`${name} has no route`);
        const { route: path, methods = [], handler } = options;
        routes.set(name, { path, method: String(methods[0]), handler: handler as (...args: never[]) => unknown });
      },
    },
    ports,
  );
  let invocations = 0;
  const context = (triggerMetadata?: Record<string, unknown>): InvocationContext => {
    const invocationId = `${process.name}-${++invocations}`;
    const error = (...said: unknown[]): void => odd(`an HTTP call failed inside: ${said.join(' ')}`);
    return { invocationId, triggerMetadata, error } as unknown as InvocationContext;
  };
  /** Injected faults are expected, everything else that a handler throws is not. */
  const explain = (where: string, error: unknown): void => {
    if (error instanceof RetryLater) return;
    odd(
      `${where} threw ${error instanceof Error ? (error.stack ?? error.message).split('\n', 3).join(' ') : 'no error'}`,
    );
  };

  const work = async (target: QueueFunction, delivery: Delivery): Promise<void> => {
    let succeeded = false;
    const { reason, enqueuedAt, deliveries } = delivery;
    try {
      const metadata = {
        enqueuedTimeUtc: new Date(enqueuedAt).toISOString(),
        deliveryCount: deliveries,
        ...(reason === undefined
          ? {}
          : { applicationProperties: { deadLetterReason: reason.code, deadLetterErrorDescription: reason.detail } }),
      };
      await target.handler(delivery.body, context(metadata));
      succeeded = true;
    } catch (error) {
      explain(target.name, error);
    }
    const what = succeeded ? 'complete' : 'abandon';
    try {
      await scheduler.perform(what, delivery.queue, 'once', () => {
        if (succeeded) broker.complete(delivery);
        else broker.abandon(delivery);
      });
    } catch {
      // whether it was settled is unknown; if not, the lock runs out
      broker.lose(delivery);
    }
  };

  return {
    process,
    take(delivery) {
      const target = queues.get(delivery.queue);
      if (target === undefined || target.busy >= maxConcurrentCalls || !process.alive) return false;
      target.busy++;
      const dies = (): void => broker.lose(delivery);
      process.onDeath.add(dies);
      if (faults.strikes(faults.rates.lockLost)) scheduler.after(scheduler.random.next() * 300, dies, { process });
      const scope = { process, handler: target.name, kind: 'backend' as const };
      void scheduler
        .within(scope, () => work(target, delivery))
        .then(() => {
          target.busy--;
          process.onDeath.delete(dies);
          broker.offer(1, delivery.queue);
        });
      return true;
    },
    call({ route, params, query = {}, body, headers = {} }) {
      const target = routes.get(`api-${route}`);
      if (target === undefined) throw new Error(`there is no route ${route}`);
      const path = target.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));
      const search = new URLSearchParams(query).toString();
      const request = {
        method: target.method,
        url: `http://backend.invalid/${path}${search === '' ? '' : `?${search}`}`,
        headers: new Headers(headers),
        body: body === undefined ? null : chunks(body),
      } as unknown as HttpRequest;
      return new Promise((resolve, reject) => {
        const dies = (): void => reject(new RetryLater('the connection was reset'));
        process.onDeath.add(dies);
        const scope = { process, handler: `api-${route}`, kind: 'backend' as const };
        const handled = scheduler.within(
          scope,
          () =>
            target.handler(request as never, context() as never) as Promise<{
              status: number;
              body: unknown;
              headers: object;
            }>,
        );
        handled
          .then(({ status, body: text, headers: answered }) => {
            process.onDeath.delete(dies);
            const json = typeof text === 'string' ? (JSON.parse(text) as Record<string, unknown>) : {};
            resolve({ status, json, headers: answered as Record<string, string> });
          })
          .catch(reject);
      });
    },
    sweep() {
      const scope = { process, handler: 'sweep', kind: 'backend' as const };
      const swept = scheduler.within(scope, async () => timer?.({} as never, context() as never));
      void swept.catch((error: unknown) => explain('sweep', error));
    },
  };
}

async function* chunks(body: Buffer): AsyncGenerator<Uint8Array> {
  yield body;
}
