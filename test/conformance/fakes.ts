/** The fakes of the simulator as a subject: without faults, in virtual time. */
import { queues } from '../../shared/resources.ts';
import { createRandom } from '../random.ts';
import { createBlobs } from '../simulation/blobs.ts';
import { createBroker, type Delivery } from '../simulation/broker.ts';
import { createCluster } from '../simulation/compute.ts';
import { createDocuments } from '../simulation/documents.ts';
import { drawRates, randomFaults } from '../simulation/faults.ts';
import { createScheduler, type Scheduler, type Scope } from '../simulation/scheduler.ts';
import type { QueuePath, Received, Subject } from './subject.ts';

const epoch = Date.parse('2026-01-01T00:00:00Z');
const stepMs = 20;

/** Goes on in virtual time until the work is done. */
async function drive<T>(scheduler: Scheduler, scope: Scope, work: () => Promise<T>): Promise<T> {
  const state = { settled: false };
  const promise = scheduler.within(scope, work).finally(() => (state.settled = true));
  // whoever awaits the result sees the failure
  promise.catch(() => undefined);
  await scheduler.run({ limit: 0 });
  while (!state.settled) await scheduler.run({ until: scheduler.now() + stepMs });
  return promise;
}

function driven<T extends object>(port: T, run: <R>(work: () => Promise<R>) => Promise<R>): T {
  const methods = Object.entries(port).map(([name, method]: [string, (...given: unknown[]) => Promise<unknown>]) => [
    name,
    (...given: unknown[]) => run(() => method(...given)),
  ]);
  return Object.fromEntries(methods) as T;
}

/** Makes the fakes. A job runs as long as `SLEEP_MS` says and ends with `EXIT_CODE`. */
export function openFakes(): Subject {
  const random = createRandom(1);
  const faults = randomFaults(random, { ...drawRates(random), skewMs: 0 });
  faults.stop();
  const scheduler = createScheduler(random, faults, false);
  const clock = (): number => epoch + scheduler.now();
  const process = { name: 'conformance', alive: true, skewMs: 0, onDeath: new Set<() => void>() };
  const run = <T>(work: () => Promise<T>): Promise<T> =>
    drive(scheduler, { process, handler: 'conformance', kind: 'backend' }, work);

  const broker = createBroker(scheduler, faults, clock);
  const blobs = createBlobs(scheduler, faults, clock, (queue, event) => broker.enqueue(queue, event));
  const documents = createDocuments(scheduler, () => undefined);
  const cluster = createCluster(scheduler, faults, clock, async ({ SLEEP_MS, EXIT_CODE }) => {
    await scheduler.sleep(Number(SLEEP_MS ?? 0));
    return Number(EXIT_CODE ?? 0);
  });
  const taking = new Map<QueuePath, (delivery: Delivery) => void>();
  broker.onReady = (delivery) => {
    const take = taking.get(delivery.queue);
    taking.delete(delivery.queue);
    take?.(delivery);
    return take !== undefined;
  };

  return {
    documents: driven(documents.port, run),
    blobs: driven(blobs.port, run),
    messages: driven(broker.port, run),
    compute: driven(cluster.port, run),
    machineLearning: undefined,
    unique: 'fakes',
    lockSeconds: queues['deployments'].lockSeconds,
    maxDeliveryCount: queues['deployments'].maxDeliveryCount,
    now: clock,
    sleep: (ms) => run(() => scheduler.sleep(ms)),
    async receive(queue, waitMs) {
      const got: Delivery[] = [];
      taking.set(queue, (delivery) => void got.push(delivery));
      broker.offer(1, queue);
      for (let waited = 0; waited < waitMs; waited += stepMs) {
        if (got.length > 0) break;
        await run(() => scheduler.sleep(stepMs));
      }
      taking.delete(queue);
      return got[0] === undefined ? undefined : received(broker, got[0]);
    },
    getUrl: (url) => run(() => blobs.atUrl.get(url).catch(() => undefined)),
    putUrl: (url, body) =>
      run(() =>
        blobs.atUrl.create(url, body, 'image/png').then(
          (answer) => (answer === 'exists' ? 'refused' : 'created'),
          () => 'refused' as const,
        ),
      ),
    close: () => Promise.resolve(),
  };
}

function received(broker: ReturnType<typeof createBroker>, delivery: Delivery): Received {
  return {
    body: delivery.body,
    deliveries: delivery.deliveries,
    reason: delivery.reason?.code,
    complete: () => Promise.resolve(broker.complete(delivery) ? 'completed' : 'lost'),
    abandon: () => Promise.resolve(broker.abandon(delivery)),
    die: () => broker.lose(delivery),
  };
}
