/** A small world for tests of logic with state: documents, blobs, messages and compute in memory, and a clock that is set. */
import { Readable } from 'node:stream';
import type { DocumentTypes, BlobContent, Documents, Execution, Ports, Scalar, Stored } from '../../shared/ports.ts';
import type { Message } from '../../shared/delivery/message.ts';
import type { DocumentContainer, QueueName } from '../../shared/resources.ts';
import type { Inference } from '../../shared/prediction/inference.ts';

export interface Sent {
  queue: QueueName;
  message: Message;
  /** milliseconds since the epoch */
  dueAt: number;
}

export interface World {
  /** any bytes decode but those that begin with `unreadable` */
  ports: Ports & Pick<Inference, 'toTensor'>;
  /** moves the clock */
  pass(seconds: number): void;
  /** messages that nobody took, in order of their time */
  sent: Sent[];
  /** takes the next message of a queue that is due until a moment, in milliseconds, and moves the clock to it */
  take(next: { queue: QueueName; until: number }): Sent | undefined;
  executions: Map<string, Execution>;
  /** runs before each operation by its name (`documents.replace`, `compute.start`, ...); may throw, may interfere */
  before: (operation: string, detail: string) => void | Promise<void>;
  put<C extends DocumentContainer>(container: C, document: DocumentTypes[C]): void;
  read<C extends DocumentContainer>(container: C, pk: string, id: string): Promise<DocumentTypes[C] | undefined>;
  all<C extends DocumentContainer>(container: C): DocumentTypes[C][];
}

const valueAt = (document: object, field: string): unknown =>
  field.split('.').reduce<unknown>((o, key) => (o as Record<string, unknown> | undefined)?.[key], document);

function memoryDocuments(world: Pick<World, 'before'>) {
  const stored = new Map<string, Stored<object>>();
  let etags = 0;
  const at = (container: string, pk: string, id: string): string => `${container}\n${pk}\n${id}`;
  const set = (container: string, document: { id: string; pk: string }): Stored<never> => {
    const entry = { document: structuredClone(document), etag: `"${++etags}"` };
    stored.set(at(container, document.pk, document.id), entry);
    return structuredClone(entry) as Stored<never>;
  };
  const matching = (
    container: string,
    { pk, equals = {} }: { pk?: string; equals?: Partial<Record<string, Scalar>> },
  ): Stored<never>[] =>
    [...stored]
      .filter(([key]) => key.startsWith(`${container}\n${pk === undefined ? '' : `${pk}\n`}`))
      .filter(([, { document }]) =>
        Object.entries(equals).every(([field, value]) => valueAt(document, field) === value),
      )
      .map(([, entry]) => structuredClone(entry) as Stored<never>);
  const documents: Documents = {
    async read(container, pk, id) {
      await world.before('documents.read', container);
      const entry = stored.get(at(container, pk, id));
      return entry === undefined ? undefined : (structuredClone(entry) as Stored<never>);
    },
    async create(container, document) {
      await world.before('documents.create', container);
      return stored.has(at(container, document.pk, document.id)) ? 'exists' : set(container, document);
    },
    async replace(container, document, etag) {
      await world.before('documents.replace', container);
      if (stored.get(at(container, document.pk, document.id))?.etag !== etag) return 'changed';
      return set(container, document);
    },
    async remove(container, pk, id, etag) {
      await world.before('documents.remove', container);
      const entry = stored.get(at(container, pk, id));
      if (entry === undefined) return 'gone';
      if (etag !== undefined && entry.etag !== etag) return 'changed';
      stored.delete(at(container, pk, id));
      return 'removed';
    },
    async batch(container, pk, operations) {
      await world.before('documents.batch', container);
      const fits = operations.every((o) => {
        const entry = stored.get(at(container, pk, o.kind === 'remove' ? o.id : o.document.id));
        if (o.kind === 'create') return entry === undefined;
        return entry !== undefined && (o.etag === undefined || entry.etag === o.etag);
      });
      if (!fits) return 'conflict';
      for (const o of operations) {
        if (o.kind === 'remove') stored.delete(at(container, pk, o.id));
        else set(container, o.document);
      }
      return 'done';
    },
    async query(container, query) {
      await world.before('documents.query', container);
      const { orderBy, after, limit } = query;
      const items = matching(container, query);
      if (orderBy !== undefined) {
        const order = (a: object, b: object): number =>
          String(valueAt(a, orderBy.field)).localeCompare(String(valueAt(b, orderBy.field)), 'en', { numeric: true });
        items.sort((a, b) => order(a.document, b.document) * (orderBy.descending ? -1 : 1));
      }
      const beyond = items.filter(
        ({ document }) =>
          after === undefined ||
          orderBy === undefined ||
          (orderBy.descending
            ? String(valueAt(document, orderBy.field)) < String(after)
            : String(valueAt(document, orderBy.field)) > String(after)),
      );
      const from = Number(query.continuation ?? 0);
      const next = from + limit < beyond.length ? { continuation: String(from + limit) } : {};
      return { items: beyond.slice(from, from + limit), ...next };
    },
    async count(container, query) {
      await world.before('documents.count', container);
      return matching(container, query).length;
    },
  };
  return { documents, set, matching };
}

function memoryBlobs(world: Pick<World, 'before'>): Ports['blobs'] {
  const stored = new Map<string, BlobContent>();
  let etags = 0;
  const put = (name: string, body: Buffer | string, contentType?: string, metadata = {}): void => {
    stored.set(name, { body: Buffer.from(body), etag: String(++etags), contentType, metadata });
  };
  return {
    async get(container, name, { maxBytes, ifMatch }) {
      await world.before('blobs.get', `${container}/${name}`);
      const found = stored.get(`${container}/${name}`);
      if (ifMatch !== undefined && found?.etag !== ifMatch) return undefined;
      return found !== undefined && found.body.length > maxBytes ? 'too-large' : found;
    },
    async create(container, name, body, options) {
      await world.before('blobs.create', `${container}/${name}`);
      if (stored.has(`${container}/${name}`)) return 'exists';
      put(`${container}/${name}`, body, options?.contentType, options?.metadata);
      return 'created';
    },
    async overwrite(container, name, body, options) {
      await world.before('blobs.overwrite', `${container}/${name}`);
      put(`${container}/${name}`, body, options?.contentType);
    },
    exists: (container, name) => Promise.resolve(stored.has(`${container}/${name}`)),
    async remove(container, name) {
      await world.before('blobs.remove', `${container}/${name}`);
      stored.delete(`${container}/${name}`);
    },
    stream(container, name) {
      const blob = stored.get(`${container}/${name}`);
      if (blob === undefined) return Promise.resolve(undefined);
      const { body, contentType } = blob;
      return Promise.resolve({ body: Readable.from([body]), sizeBytes: body.length, contentType });
    },
    list: (container, prefix, limit) =>
      Promise.resolve(
        [...stored.keys()]
          .filter((name) => name.startsWith(`${container}/${prefix}`))
          .map((name) => name.slice(container.length + 1))
          .slice(0, limit),
      ),
    sign: (container, name) => Promise.resolve(`http://blobs/${container}/${name}?signed`),
  };
}

/** Makes an empty world. */
export function createWorld(startsAt = '2026-03-01T12:00:00.000Z'): World {
  let nowMs = Date.parse(startsAt);
  let ids = 0;
  const sent: Sent[] = [];
  const executions = new Map<string, Execution>();
  const hooks: Pick<World, 'before'> = { before: () => undefined };
  const { documents, set, matching } = memoryDocuments({ before: (...call) => hooks.before(...call) });
  const clock = { now: () => new Date(nowMs) };
  const ports: World['ports'] = {
    toTensor: (bytes, { width, height, channels }) =>
      bytes.subarray(0, 10).toString() === 'unreadable'
        ? Promise.reject(new Error('reduceh: no memory'))
        : Promise.resolve(new Float32Array(width * height * channels)),
    clock,
    ids: { next: () => `r${String(++ids).padStart(25, '0')}` },
    documents,
    blobs: memoryBlobs({ before: (...call) => hooks.before(...call) }),
    messages: {
      reach: () => Promise.resolve(),
      async send(queue, messages, notBefore) {
        await hooks.before('messages.send', queue);
        for (const message of messages) sent.push({ queue, message, dueAt: notBefore?.getTime() ?? nowMs });
        sent.sort((a, b) => a.dueAt - b.dueAt);
      },
    },
    compute: {
      async start(environment) {
        await hooks.before('compute.start', environment['DARKROOM_RUN'] ?? '');
        const name = `trainer-${executions.size + 1}`;
        executions.set(name, { name, state: 'running', environment, startedAt: clock.now().toISOString() });
        return { execution: name };
      },
      list: () => Promise.resolve([...executions.values()]),
      get: (name) => Promise.resolve(executions.get(name)),
      stop: (name) => {
        const execution = executions.get(name);
        if (execution?.state === 'running') execution.state = 'stopped';
        return Promise.resolve();
      },
    },
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
    executions,
    pass: (seconds: number) => void (nowMs += seconds * 1000),
    take({ queue, until }) {
      const at = sent.findIndex((s) => s.queue === queue && s.dueAt <= until);
      const [next] = at < 0 ? [] : sent.splice(at, 1);
      if (next !== undefined) nowMs = Math.max(nowMs, next.dueAt);
      return next;
    },
    put: (container, document) => void set(container, document),
    read: async (container, pk, id) => (await documents.read(container, pk, id))?.document,
    all: (container) => matching(container, {}).map(({ document }) => document),
  } satisfies Omit<World, 'before'>);
}
