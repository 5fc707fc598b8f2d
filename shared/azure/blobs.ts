/** Blobs in Azure Storage. */
import { createSecretKey } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  BlobSASPermissions,
  BlobServiceClient,
  type ContainerClient,
  type ContainerListBlobFlatSegmentResponse,
  ContainerSASPermissions,
  generateBlobSASQueryParameters,
  RestError,
  SASProtocol,
  StorageSharedKeyCredential,
  type UserDelegationKey,
} from '@azure/storage-blob';
import type { TokenCredential } from '@azure/core-auth';
import type { Config } from '../config.ts';
import { TerminalError } from '../errors.ts';
import { isAddressable } from '../names.ts';
import type { Blobs } from '../ports.ts';

/** What this does not mend is an outage (see connect.ts). */
const patience = { maxTries: 4, retryDelayInMs: 1000, maxRetryDelayInMs: 8000 };
/** A call ends within this time, its repetitions included, and a second more for each MB that it may move. */
const limitMs = 30_000;
const slowestBytesPerMs = 1024;
/** a body that is passed on while it comes; the front end of Azure ends requests after 230 s */
const streamLimitMs = 200_000;
/** what is held of one that is written while it comes */
const partBytes = 4 * 1024 * 1024;
const partsAtOnce = 2;

/** The SDK waits for ever for a connection that has gone silent. */
const within = (ms: number) => ({ abortSignal: AbortSignal.timeout(Math.ceil(ms)) });
const toMove = (bytes: number) => within(limitMs + bytes / slowestBytesPerMs);

const statusOf = (error: unknown): number | undefined => (error instanceof RestError ? error.statusCode : undefined);
const unquoted = (etag: string): string => etag.replace(/^"|"$/g, '');

/**
 * What a read of a blob that is there is refused for, however often it is repeated
 * (https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes).
 */
const refusals: Record<string, { code: string; detail: string }> = {
  BlobArchived: {
    code: 'archived',
    detail: 'The blob is in the archive tier, where nothing can be read. Write it again without x-ms-access-tier.',
  },
  BlobBeingRehydrated: {
    code: 'archived',
    detail:
      'The blob is on its way out of the archive tier, which takes hours. Write it again without x-ms-access-tier.',
  },
  BlobUsesCustomerSpecifiedEncryption: {
    code: 'encrypted',
    detail: 'The blob is encrypted with a key that its writer kept. Write it again without x-ms-encryption-key.',
  },
};

/** A read that failed, as the blobs port has it: what no repetition mends is terminal. */
function readError(error: unknown): unknown {
  if (!(error instanceof RestError) || error.statusCode !== 409) return error;
  const storageCode = String(error.code);
  const { code, detail } = refusals[storageCode] ?? {
    code: 'unreadable',
    detail: `Storage has the blob and does not let it be read (${storageCode}). Write it again as an ordinary block blob.`,
  };
  return new TerminalError(code, detail);
}

async function collect(stream: NodeJS.ReadableStream, sizeBytes: number): Promise<Buffer> {
  // one buffer from the start: joining chunks would hold everything twice
  const body = Buffer.allocUnsafeSlow(sizeBytes);
  let read = 0;
  for await (const chunk of stream) {
    const bytes = chunk as Buffer;
    if (read + bytes.length > sizeBytes) throw new Error(`more than the announced ${sizeBytes} bytes came`);
    bytes.copy(body, read);
    read += bytes.length;
  }
  if (read !== sizeBytes) throw new Error(`read ${read} of ${sizeBytes} bytes: the connection ended early`);
  return body;
}

/**
 * Signs addresses: with the account key where there is one, else with a user delegation key of the identity
 * (Azurite knows none with a shared key, so this is one of the few true differences; both kinds are tested).
 */
function signer(service: BlobServiceClient, key: StorageSharedKeyCredential | undefined, now: () => Date) {
  let delegation: { key: UserDelegationKey; until: number } | undefined;
  const hour = 3_600_000;
  return async (container: string, name: string | undefined, permissions: string, expiresAt: Date): Promise<string> => {
    // clocks differ: a signature is valid from a quarter of an hour ago
    const startsOn = new Date(now().getTime() - hour / 4);
    const values = {
      containerName: container,
      ...(name === undefined ? {} : { blobName: name }),
      permissions:
        name === undefined ? ContainerSASPermissions.parse(permissions) : BlobSASPermissions.parse(permissions),
      startsOn,
      expiresOn: expiresAt,
      protocol: service.url.startsWith('https:') ? SASProtocol.Https : SASProtocol.HttpsAndHttp,
    };
    if (key !== undefined) return generateBlobSASQueryParameters(values, key).toString();
    if (delegation === undefined || delegation.until < Math.max(expiresAt.getTime(), now().getTime() + hour)) {
      const until = Math.max(expiresAt.getTime(), now().getTime()) + 2 * hour;
      delegation = { key: await service.getUserDelegationKey(startsOn, new Date(until), within(limitMs)), until };
    }
    return generateBlobSASQueryParameters(values, delegation.key, service.accountName).toString();
  };
}

/** Signs requests with a key in base64. The SDK makes the key anew for every request, as that of Cosmos DB does (account-key.ts). */
function sharedKey(account: string, key: string): StorageSharedKeyCredential {
  // the SDK hands its field to createHmac as it is, which takes either
  const secret = { accountKey: createSecretKey(key, 'base64') };
  return Object.assign(new StorageSharedKeyCredential(account, key), secret);
}

/** Connects to a storage account: with its key where there is one, else as `identity`. */
export function connectBlobs(
  { serviceUri, accountName = '', accountKey }: Config['blob'],
  identity: TokenCredential,
  now: () => Date,
): Blobs {
  const key = accountKey === undefined ? undefined : sharedKey(accountName, accountKey);
  return storageBlobs(new BlobServiceClient(serviceUri, key ?? identity, { retryOptions: patience }), key, now);
}

/** Adapts a storage account to the blobs port. */
export function storageBlobs(
  service: BlobServiceClient,
  key: StorageSharedKeyCredential | undefined,
  now: () => Date,
): Blobs {
  const containers = new Map<string, ContainerClient>();
  const containerOf = (name: string): ContainerClient => {
    const known = containers.get(name) ?? service.getContainerClient(name);
    containers.set(name, known);
    return known;
  };
  const blob = (container: string, name: string) => {
    if (!isAddressable(name)) throw new Error(`asking for the blob ${name.slice(0, 200)} would reach another one`);
    return containerOf(container).getBlockBlobClient(name);
  };
  const signature = signer(service, key, now);

  return {
    async get(container, name, { maxBytes, ifMatch }) {
      try {
        const response = await blob(container, name).download(0, undefined, {
          ...(ifMatch === undefined ? {} : { conditions: { ifMatch: `"${ifMatch}"` } }),
          ...toMove(maxBytes),
        });
        const sizeBytes = response.contentLength ?? 0;
        const stream = response.readableStreamBody;
        if (stream === undefined) throw new Error('the storage SDK gave no body');
        if (sizeBytes > maxBytes) {
          (stream as NodeJS.ReadableStream & { destroy(): void }).destroy();
          return 'too-large';
        }
        return {
          body: await collect(stream, sizeBytes),
          etag: unquoted(response.etag ?? ''),
          contentType: response.contentType,
          metadata: response.metadata ?? {},
        };
      } catch (error) {
        if (statusOf(error) === 404 || statusOf(error) === 412) return undefined;
        throw readError(error);
      }
    },
    async create(container, name, body, options) {
      const data = typeof body === 'string' ? Buffer.from(body) : body;
      try {
        await blob(container, name).upload(data, data.length, {
          ...toMove(data.length),
          conditions: { ifNoneMatch: '*' },
          ...(options?.contentType === undefined ? {} : { blobHTTPHeaders: { blobContentType: options.contentType } }),
          ...(options?.metadata === undefined ? {} : { metadata: options.metadata }),
        });
        return 'created';
      } catch (error) {
        if (statusOf(error) === 409 || statusOf(error) === 412) return 'exists';
        throw error;
      }
    },
    async createFrom(container, name, chunks, options) {
      try {
        await blob(container, name).uploadStream(Readable.from(chunks, { objectMode: false }), partBytes, partsAtOnce, {
          ...within(streamLimitMs),
          conditions: { ifNoneMatch: '*' },
          ...(options?.contentType === undefined ? {} : { blobHTTPHeaders: { blobContentType: options.contentType } }),
        });
        return 'created';
      } catch (error) {
        if (statusOf(error) === 409 || statusOf(error) === 412) return 'exists';
        // who commits first takes the blocks of others with it that write the same blob
        if (
          error instanceof RestError &&
          error.code === 'InvalidBlockList' &&
          (await blob(container, name).exists(within(limitMs)))
        )
          return 'exists';
        throw error;
      }
    },
    async overwrite(container, name, body, options) {
      const data = typeof body === 'string' ? Buffer.from(body) : body;
      await blob(container, name).upload(data, data.length, {
        ...toMove(data.length),
        ...(options?.contentType === undefined ? {} : { blobHTTPHeaders: { blobContentType: options.contentType } }),
      });
    },
    exists: async (container, name) => blob(container, name).exists(within(limitMs)),
    async remove(container, name) {
      await blob(container, name).deleteIfExists(within(limitMs));
    },
    async stream(container, name) {
      try {
        const response = await blob(container, name).download(0, undefined, within(streamLimitMs));
        const body = response.readableStreamBody;
        if (body === undefined) throw new Error('the storage SDK gave no body');
        return {
          body: body as unknown as AsyncIterable<Buffer>,
          sizeBytes: response.contentLength ?? 0,
          contentType: response.contentType,
        };
      } catch (error) {
        if (statusOf(error) === 404) return undefined;
        throw readError(error);
      }
    },
    async list(container, prefix, limit) {
      const names: string[] = [];
      for await (const item of containerOf(container).listBlobsFlat({ prefix, ...within(limitMs) })) {
        if (names.length >= limit) break;
        names.push(item.name);
      }
      return names;
    },
    async page(container, prefix, { limit, continuation }) {
      const pages = containerOf(container)
        .listBlobsFlat({ prefix, ...within(limitMs) })
        .byPage({ maxPageSize: limit, ...(continuation === undefined ? {} : { continuationToken: continuation }) });
      const { value } = (await pages.next()) as { value?: ContainerListBlobFlatSegmentResponse };
      const items = value?.segment.blobItems ?? [];
      const blobs = items.map(({ name, properties }) => ({ name, sizeBytes: properties.contentLength ?? 0 }));
      return value?.continuationToken ? { blobs, continuation: value.continuationToken } : { blobs };
    },
    async sign(container, name, permission, expiresAt) {
      if (permission === 'create-any') {
        const query = await signature(container, undefined, 'c', expiresAt);
        return `${containerOf(container).url}/${name}?${query}`;
      }
      const letter = { read: 'r', create: 'c', overwrite: 'w' }[permission];
      return `${blob(container, name).url}?${await signature(container, name, letter, expiresAt)}`;
    },
  };
}
