/**
 * The simulator's fakes for tests of logic with state: nothing fails and nothing takes time, the clock moves when a test
 * moves it, a test is whoever receives messages, and it may interfere with any operation.
 */
import type { Message } from '../../shared/delivery/message.ts';
import type { DocumentTypes } from '../../shared/document-types.ts';
import type { Execution, Ports } from '../../shared/ports.ts';
import type { Inference } from '../../shared/prediction/inference.ts';
import type { ScorePorts } from '../../shared/prediction/score.ts';
import type { DocumentContainer, QueueName } from '../../shared/resources.ts';
import { createRandom } from '../random.ts';
import { createBlobs } from './blobs.ts';
import { createBroker } from './broker.ts';
import { createCluster } from './compute.ts';
import { createDocuments } from './documents.ts';
import { noFaults, randomFaults } from './faults.ts';

export interface Sent {
  queue: QueueName;
  message: Message;
  /** milliseconds since the epoch */
  dueAt: number;
}

/** Told of an operation before it is done, by port and method (`documents.replace`, `compute.start`) and by its target. */
type Before = (operation: string, target: string) => void | Promise<void>;

export interface Fakes {
  /** any bytes decode but those that begin with `unreadable` */
  ports: Ports & Pick<Inference, 'toTensor'> & Pick<ScorePorts, 'inferPinned'>;
  /** moves the clock */
  pass(seconds: number): void;
  /** messages that nobody took, in order of their time */
  sent: Sent[];
  /** takes the next message of a queue that is due until a moment, in milliseconds, and moves the clock to it */
  take(next: { queue: QueueName; until: number }): Sent | undefined;
  /** by name; they run until they are stopped */
  executions: Map<string, Execution>;
  /** may throw, may interfere */
  before: Before;
  put<C extends DocumentContainer>(container: C, document: DocumentTypes[C]): void;
  read<C extends DocumentContainer>(container: C, pk: string, id: string): Promise<DocumentTypes[C] | undefined>;
  all<C extends DocumentContainer>(container: C): DocumentTypes[C][];
}

type Method = (...given: unknown[]) => Promise<unknown>;

/** A port each of whose operations is announced first. */
function announced<T extends object>(
  name: string,
  port: T,
  before: Before,
  targetOf: (...given: never[]) => string,
): T {
  const methods = Object.entries(port).map(([method, operate]: [string, Method]): [string, Method] => [
    method,
    async (...given) => {
      await before(`${name}.${method}`, targetOf(...(given as never[])));
      return operate(...given);
    },
  ]);
  return Object.fromEntries(methods) as T;
}

/** Makes empty stores and queues, at a moment that stays. */
export function createFakes(startsAt = '2026-03-01T12:00:00.000Z'): Fakes {
  let nowMs = Date.parse(startsAt);
  let ids = 0;
  const sent: Sent[] = [];
  const hooks: Pick<Fakes, 'before'> = { before: () => undefined };
  const before: Before = (...operation) => hooks.before(...operation);
  const random = createRandom(1);
  const faults = randomFaults(random, noFaults);
  const clock = (): number => nowMs;
  /** completes everything at once */
  const scheduler = {
    random,
    now: () => nowMs - Date.parse(startsAt),
    perform: async <T>(_label: string, _target: string, _kind: unknown, effect: () => T): Promise<T> => effect(),
    after: (_ms: number, call: () => void): void => call(),
    within: <T>(_scope: unknown, work: () => T): T => work(),
    kill: () => undefined,
  };
  const broker = createBroker(scheduler, faults, clock);
  broker.onReady = ({ queue, body, enqueuedAt }) => {
    sent.push({ queue: queue as QueueName, message: body as Message, dueAt: enqueuedAt });
    sent.sort((a, b) => a.dueAt - b.dueAt);
    return true;
  };
  // events of uploads are what a test makes them
  const blobs = createBlobs(scheduler, faults, clock, () => undefined);
  const documents = createDocuments(scheduler, () => undefined);
  const cluster = createCluster(scheduler, faults, clock, () => new Promise(() => undefined));
  const ofBlob = (container: string, name: string): string => `${container}/${name}`;
  const ports: Fakes['ports'] = {
    inferPinned: () => Promise.reject(new Error('no model runs here')),
    toTensor: (bytes, { width, height, channels }) =>
      bytes.subarray(0, 10).toString() === 'unreadable'
        ? Promise.reject(new Error('reduceh: no memory'))
        : Promise.resolve(new Float32Array(width * height * channels)),
    clock: { now: () => new Date(nowMs) },
    ids: { next: () => `r${String(++ids).padStart(25, '0')}` },
    documents: announced('documents', documents.port, before, (container: string) => container),
    blobs: announced('blobs', blobs.port, before, ofBlob),
    messages: announced('messages', broker.port, before, (queue: string) => queue),
    compute: announced('compute', cluster.port, before, (given?: string | Record<string, string>) =>
      typeof given === 'object' ? (given['DARKROOM_RUN'] ?? '') : (given ?? ''),
    ),
    telemetry: {
      stage: () => undefined,
      metric: () => undefined,
      problem: () => undefined,
      span: (_name, parent, work) => work(parent),
    },
  };
  return Object.assign(hooks, {
    ports,
    sent,
    executions: cluster.executions,
    pass: (seconds: number) => void (nowMs += seconds * 1000),
    take({ queue, until }) {
      const at = sent.findIndex((s) => s.queue === queue && s.dueAt <= until);
      const [next] = at < 0 ? [] : sent.splice(at, 1);
      if (next !== undefined) nowMs = Math.max(nowMs, next.dueAt);
      return next;
    },
    put: (container, document) => documents.put(container, document),
    read: async (container, pk, id) => (await ports.documents.read(container, pk, id))?.document,
    all: (container) => structuredClone(documents.all(container)),
  } satisfies Omit<Fakes, 'before'>);
}
