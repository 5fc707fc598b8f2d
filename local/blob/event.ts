/**
 * Which writes are "blob created", and the event that Event Grid would send for them
 * (CloudEvents 1.0; https://learn.microsoft.com/azure/event-grid/event-schema-blob-storage).
 */
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** Azurite's well-known development account; its key is published by Microsoft and opens nothing but emulators. */
export const account = {
  name: 'devstoreaccount1',
  key: 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==',
};

const source =
  '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/darkroom-local' +
  `/providers/Microsoft.Storage/storageAccounts/${account.name}`;

type WriteApi = 'PutBlob' | 'PutBlockList' | 'CopyBlob';

export interface BlobWrite {
  api: WriteApi;
  container: string;
  /** the blob's name as stored: decoded, backslashes turned into slashes as the service does */
  name: string;
  /** path as sent, still encoded, without the query (which may hold a signature) */
  path: string;
}

export interface WrittenBlob {
  eTag: string;
  requestId: string;
  contentType: string;
  contentLength: number | undefined;
  blobType: string;
}

export interface BlobCreated {
  specversion: '1.0';
  id: string;
  source: string;
  type: 'Microsoft.Storage.BlobCreated';
  subject: string;
  time: string;
  data: Record<string, unknown> & { url: string; eTag: string; sequencer: string };
}

/**
 * Tells whether a request would create or replace a blob, were it to succeed; undefined for everything else,
 * also for blocks, pages, metadata and other changes that send no BlobCreated event.
 */
export function blobWrite(method: string, requestUrl: string, headers: IncomingHttpHeaders): BlobWrite | undefined {
  if (method !== 'PUT') return undefined;
  const [path = '', query = ''] = requestUrl.split('?', 2);
  const parameters = new URLSearchParams(query);
  const comps = parameters.getAll('comp');
  // Azurite passes over a parameter that is given twice
  const comp = comps.length === 1 ? comps[0] : '';
  const api: WriteApi | undefined =
    comp === 'blocklist'
      ? 'PutBlockList'
      : comp !== ''
        ? undefined
        : headers['x-ms-copy-source'] === undefined
          ? 'PutBlob'
          : 'CopyBlob';
  const parts = decoded(path)?.slice(1).split('/') ?? [];
  const [accountName, container = '', ...rest] = parts;
  const name = rest.join('/').replaceAll('\\', '/');
  if (api === undefined || accountName !== account.name || name === '') return undefined;
  return { api, container, name, path };
}

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    // such a path is refused by the service
    return undefined;
  }
}

/** Composes the event; its id derives from url and etag, so that a second report of the same write has the same id. */
export function blobCreated(
  write: BlobWrite,
  blob: WrittenBlob,
  endpoint: string,
  sequencer: string,
  time: Date,
): BlobCreated {
  const url = new URL(endpoint).origin + write.path;
  const digest = createHash('sha256').update(`${url}\n${blob.eTag}`).digest('hex');
  return {
    specversion: '1.0',
    id: digest.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5'),
    source,
    type: 'Microsoft.Storage.BlobCreated',
    subject: `/blobServices/default/containers/${write.container}/blobs/${write.name}`,
    time: time.toISOString(),
    data: {
      api: write.api,
      requestId: blob.requestId,
      eTag: blob.eTag,
      contentType: blob.contentType,
      ...(blob.contentLength === undefined ? {} : { contentLength: blob.contentLength }),
      blobType: blob.blobType,
      url,
      sequencer,
      storageDiagnostics: { batchId: digest.slice(32, 64) },
    },
  };
}
