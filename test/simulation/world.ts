/** The simulated platform around the real backend: stores, broker, compute, and instances that die and come back. */
import { keyDocument, newKey } from '../../shared/key/secret.ts';
import type { Role } from '../../shared/key/document.ts';
import type { Ports } from '../../shared/ports.ts';
import { createRandom } from '../random.ts';
import { type BlobStore, createBlobs } from './blobs.ts';
import { type Broker, createBroker } from './broker.ts';
import { type Cluster, createCluster } from './compute.ts';
import { createDocuments, type DocumentStore } from './documents.ts';
import type { Faults } from './faults.ts';
import { createInstance, type HttpAnswer, type HttpCall, type Instance, maxConcurrentCalls } from './instance.ts';
import { createMonitor } from './monitor.ts';
import { createEyes } from './pictures.ts';
import { createScheduler, type Process, type Scheduler } from './scheduler.ts';
import { createTrainer } from './trainer.ts';

export interface World {
  scheduler: Scheduler;
  faults: Faults;
  documents: DocumentStore;
  blobs: BlobStore;
  broker: Broker;
  cluster: Cluster;
  /** true time */
  now(): Date;
  /** a call of a client: throws `Lost` when it got no answer, whether or not it was done */
  call(call: HttpCall): Promise<HttpAnswer>;
  /** API keys by role */
  keys: Record<Role, string>;
  /** some instance does what the timer does */
  sweep(): void;
  /** what must never be, as it is found */
  problems: string[];
}

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
/** small nodes, so that a handful of samples splits and merges them */
export const tree = { target: 4, min: 2, max: 16 };
const instanceCount = 2;
const silent: Ports['telemetry'] = {
  span: (_stage, parent, work) => work(parent),
  stage: () => undefined,
  metric: () => undefined,
  problem: () => undefined,
};

/** Makes a platform at rest. */
export function createWorld(
  seed: number,
  options: { faults: (random: Scheduler['random']) => Faults; startsAt: string; keepTrace: boolean },
): World {
  const random = createRandom(seed);
  const faults = options.faults(random);
  const scheduler = createScheduler(random, faults, options.keepTrace);
  const epoch = Date.parse(options.startsAt);
  const clock = (): number => epoch + scheduler.now();
  const problems: string[] = [];
  const say = (problem: string): void => {
    if (!problems.includes(problem)) problems.push(problem);
    scheduler.trace.note({ process: '', handler: '', what: 'PROBLEM', detail: problem, outcome: '' });
  };
  const broker = createBroker(scheduler, faults, clock);
  const blobs = createBlobs(scheduler, faults, clock, (queue, event) => broker.enqueue(queue, event));
  const tokenOf = (name: string): string | undefined => cluster.executions.get(name)?.environment['DARKROOM_TOKEN'];
  const documents = createDocuments(
    scheduler,
    createMonitor({ say, now: clock, blobs, tokenOf, steady: () => faults.rates.skewMs === 0 }),
  );
  const trainer = createTrainer(scheduler, blobs.atUrl, faults, () => new Date(clock()));
  const cluster = createCluster(scheduler, faults, clock, trainer);

  const instances: Instance[] = [];
  let made = 0;
  const portsOf = (process: Process): Ports => ({
    clock: { now: () => new Date(clock() + process.skewMs) },
    ids: { next: () => `r${Array.from({ length: 25 }, () => alphabet[random.between(0, 31)]).join('')}` },
    documents: documents.port,
    blobs: blobs.port,
    messages: broker.port,
    compute: cluster.port,
    telemetry: silent,
    tree,
  });
  const start = (): void => {
    const skewMs = Math.round((random.next() * 2 - 1) * faults.rates.skewMs);
    const process: Process = { name: `functions-${++made}`, alive: true, skewMs, onDeath: new Set() };
    const instance = createInstance(
      { scheduler, broker, faults },
      process,
      { ...portsOf(process), ...createEyes(scheduler) },
      say,
    );
    instances.push(instance);
    process.onDeath.add(() => {
      instances.splice(instances.indexOf(instance), 1);
      scheduler.after(500 + random.next() * 15_000, start);
    });
    broker.offer(maxConcurrentCalls);
  };
  for (let i = 0; i < instanceCount; i++) start();
  broker.onReady = (delivery) => {
    const first = random.between(0, 7);
    return instances.some((_, i) => instances[(first + i) % instances.length]?.take(delivery) ?? false);
  };
  const transit = (what: string, route: string): Promise<void> =>
    scheduler.perform(`${what} ${route}`, '', 'read', () => undefined);
  const keys = Object.fromEntries(
    (['viewer', 'labeler', 'operator'] as const).map((role, i) => {
      const key = newKey(Buffer.alloc(32, i + 1));
      documents.put('keys', keyDocument(key, { name: role, role, project: '*' }, new Date(epoch).toISOString()));
      return [role, key];
    }),
  ) as Record<Role, string>;

  return {
    ...{ scheduler, faults, documents, blobs, broker, cluster, keys, problems },
    now: () => new Date(clock()),
    async call(call) {
      await transit('request', call.route);
      while (instances.length === 0) await scheduler.sleep(1000);
      const answer = await random.pick(instances).call(call);
      await transit('answer', call.route);
      return answer;
    },
    sweep: () => instances[0]?.sweep(),
  };
}
