/** Blobs as Azure Storage keeps them: etags, preconditions, signed addresses, and an event for each finished write. */
import type { BlobCreatedEvent } from '../../shared/delivery/message.ts';
import type { BlobContent, Blobs, SignedPermission } from '../../shared/ports.ts';
import { type BlobContainer, blobContainers, type QueueName } from '../../shared/resources.ts';
import type { Faults } from './faults.ts';
import type { OperationKind, Scheduler } from './scheduler.ts';

export interface BlobStore {
  /** what handlers use */
  port: Blobs;
  /** a write of a client with the account's rights: an overwrite unless `once` */
  put(
    container: BlobContainer,
    name: string,
    body: Buffer,
    options: { contentType?: string; metadata?: Record<string, string>; once: boolean },
  ): Promise<{ etag: string } | 'exists'>;
  /** a request to a signed address, as a job or an app makes it; undefined: there is nothing to read */
  atUrl: {
    get(url: string): Promise<Buffer | undefined>;
    create(url: string, body: Buffer, contentType: string): Promise<{ etag: string } | 'exists'>;
  };
  /** what checks use */
  peek(container: BlobContainer, name: string): BlobContent | undefined;
  names(container: BlobContainer): string[];
}

const origin = 'https://blobs.invalid';
const maxNameCharacters = 1024;

/** Whether storage takes a name: it is so long and no longer, and a part of an address (UTF-8). */
export const isBlobName = (name: string): boolean => name.length <= maxNameCharacters && name.isWellFormed();

/** What an address allows; nothing (`permission` empty) when it was signed for another blob. */
function read(url: string): { container: BlobContainer; name: string; permission: string; expires: number } {
  const { pathname, searchParams } = new URL(url);
  const [, container = '', ...rest] = pathname.split('/');
  const name = decodeURIComponent(rest.join('/'));
  const signedFor = searchParams.get('sr');
  const fits = signedFor === container || signedFor === `${container}/${name}`;
  return {
    container: container as BlobContainer,
    name,
    permission: fits ? (searchParams.get('sp') ?? '') : '',
    expires: Number(searchParams.get('se')),
  };
}

/** Creates an empty store; events go to `deliver` late, out of order and at times twice. */
export function createBlobs(
  scheduler: Pick<Scheduler, 'perform' | 'after' | 'random'>,
  faults: Faults,
  clock: () => number,
  deliver: (queue: QueueName, event: BlobCreatedEvent) => void,
): BlobStore {
  const containers = new Map<BlobContainer, Map<string, BlobContent>>();
  let writes = 0;
  const of = (container: BlobContainer): Map<string, BlobContent> => {
    const known = containers.get(container) ?? new Map<string, BlobContent>();
    containers.set(container, known);
    return known;
  };
  const announce = (container: BlobContainer, name: string, etag: string): void => {
    const queue = blobContainers[container].events;
    if (queue === null) return;
    const event: BlobCreatedEvent = {
      specversion: '1.0',
      id: `event-${etag}`,
      source: '/storage',
      type: 'Microsoft.Storage.BlobCreated',
      subject: `/blobServices/default/containers/${container}/blobs/${name}`,
      time: new Date(clock()).toISOString(),
      data: { url: `${origin}/${container}/${encodeURI(name)}`, eTag: etag },
    };
    const times = faults.strikes(faults.rates.duplicate) ? 2 : 1;
    for (let i = 0; i < times; i++) {
      const late = i > 0 || faults.strikes(faults.rates.delayed) ? scheduler.random.next() * 60_000 : 0;
      scheduler.after(5 + scheduler.random.next() * 50 + late, () => deliver(queue, event));
    }
  };
  const write = (
    container: BlobContainer,
    name: string,
    body: Buffer | string,
    options: { contentType?: string; metadata?: Record<string, string> } = {},
  ): { etag: string } => {
    if (!isBlobName(name))
      throw new Error(`a blob's name has at most ${maxNameCharacters} characters, all of them whole`);
    const etag = `0x${(++writes).toString(16).toUpperCase().padStart(8, '0')}`;
    const { contentType = 'application/octet-stream' } = options;
    // names of metadata travel as names of headers
    const metadata = Object.fromEntries(
      Object.entries(options.metadata ?? {}).map(([key, value]) => [key.toLowerCase(), value]),
    );
    of(container).set(name, { body: Buffer.from(body), etag, contentType, metadata });
    announce(container, name, etag);
    return { etag };
  };
  const perform = <T>(
    what: string,
    container: BlobContainer,
    name: string,
    kind: OperationKind,
    effect: () => T,
  ): Promise<T> => scheduler.perform(`${what} ${container}`, name, kind, effect);
  const copy = (blob: BlobContent): BlobContent => ({
    ...blob,
    body: Buffer.from(blob.body),
    metadata: { ...blob.metadata },
  });

  const port: Blobs = {
    get: (container, name, { maxBytes, ifMatch }) =>
      perform('get blob', container, name, 'read', () => {
        const blob = of(container).get(name);
        if (blob === undefined || (ifMatch !== undefined && ifMatch !== blob.etag)) return undefined;
        return blob.body.length > maxBytes ? 'too-large' : copy(blob);
      }),
    create: (container, name, body, options) =>
      perform('create blob', container, name, 'write', () => {
        if (of(container).has(name)) return 'exists';
        write(container, name, body, options);
        return 'created';
      }),
    async createFrom(container, name, chunks, options) {
      const parts: Uint8Array[] = [];
      for await (const chunk of chunks) parts.push(chunk);
      const body = Buffer.concat(parts);
      return perform('create blob', container, name, 'write', () => {
        if (of(container).has(name)) return 'exists';
        write(container, name, body, options);
        return 'created';
      });
    },
    overwrite: (container, name, body, options) =>
      perform('overwrite blob', container, name, 'write', () => void write(container, name, body, options)),
    remove: (container, name) =>
      perform('remove blob', container, name, 'write', () => void of(container).delete(name)),
    exists: (container, name) => perform('exists blob', container, name, 'read', () => of(container).has(name)),
    stream: (container, name) =>
      perform('stream blob', container, name, 'read', () => {
        const blob = of(container).get(name);
        if (blob === undefined) return undefined;
        return { body: once(blob.body), sizeBytes: blob.body.length, contentType: blob.contentType };
      }),
    list: (container, prefix, limit) =>
      perform('list blobs', container, prefix, 'read', () =>
        [...of(container).keys()]
          .filter((name) => name.startsWith(prefix))
          .sort()
          .slice(0, limit),
      ),
    page: (container, prefix, { limit, continuation = '' }) =>
      perform('list blobs', container, prefix, 'read', () => {
        const all = [...of(container).keys()].filter((name) => name.startsWith(prefix) && name > continuation).sort();
        const names = all.slice(0, limit);
        const blobs = names.map((name) => ({ name, sizeBytes: of(container).get(name)?.body.length ?? 0 }));
        return { blobs, ...(all.length > limit && { continuation: names.at(-1) ?? '' }) };
      }),
    // a signature is computed, not asked for
    sign: (container, name, permission: SignedPermission, expiresAt) =>
      Promise.resolve(
        `${origin}/${container}/${name.split('/').map(encodeURIComponent).join('/').replace('%7Bsequence%7D', '{sequence}')}?sp=${permission}&se=${expiresAt.getTime()}&sr=${encodeURIComponent(permission === 'create-any' ? container : `${container}/${name}`)}`,
      ),
  };
  return {
    port,
    put: (container, name, body, { once: createOnly, ...options }) =>
      scheduler.perform(`put ${container}`, name, 'once', () =>
        createOnly && of(container).has(name) ? 'exists' : write(container, name, body, options),
      ),
    atUrl: {
      get(url) {
        const { container, name, permission, expires } = read(url);
        return scheduler.perform(`GET ${container}`, name, 'read', () => {
          if (permission !== 'read' || clock() > expires) throw new Error(`not allowed to read ${container}/${name}`);
          return of(container).get(name)?.body;
        });
      },
      create(url, body, contentType) {
        const { container, name, permission, expires } = read(url);
        return scheduler.perform(`PUT ${container}`, name, 'once', () => {
          const overwrites = permission === 'overwrite';
          if (!(overwrites || permission.startsWith('create')) || clock() > expires)
            throw new Error(`not allowed to write ${container}/${name}`);
          return of(container).has(name) && !overwrites ? 'exists' : write(container, name, body, { contentType });
        });
      },
    },
    peek: (container, name) => of(container).get(name),
    names: (container) => [...of(container).keys()],
  };
}

async function* once(body: Buffer): AsyncGenerator<Buffer> {
  yield body;
}
