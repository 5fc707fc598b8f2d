/** Uploading files, and what became of them. */
import type * as z from 'zod';
import { uploadView } from '../shared/api/views/dataset.ts';
import { page } from '../shared/api/views/page.ts';
import { uploadUrlsView } from '../shared/api/views/upload-urls.ts';
import { getAll } from './pages.ts';
import { type Client, fetchWithRetry, transient } from './client.ts';

/** A file that is to be uploaded; without a label it waits for review. */
export interface UploadFile {
  name: string;
  label?: string;
  contentType: string;
}

export type Upload = z.infer<typeof uploadView>;
export type UploadUrl = z.infer<typeof uploadUrlsView>['value'][number];

const uploadsPerPage = 500;
/** what storage says when it is busy, or does not know what became of a request */
const transientInStorage = new Set([...transient, 500]);

/** Asks for a write-once address for each of at most 1,000 files, in order. */
export async function requestUploadUrls(client: Client, project: string, files: UploadFile[]): Promise<UploadUrl[]> {
  const { value } = await client.send('POST', `/projects/${project}/upload-urls`, { files }, uploadUrlsView);
  if (value.length !== files.length) throw new Error(`Expected ${files.length} upload URLs; seen: ${value.length}`);
  return value;
}

/** PUTs bytes to an upload URL with the headers that came with it. A repeat that finds the blob made has succeeded before. */
export async function putToStorage(url: string, headers: Record<string, string>, bytes: Uint8Array): Promise<void> {
  const init = { method: 'PUT', headers, body: new Uint8Array(bytes) };
  const { response, attempt } = await fetchWithRetry(url, init, transientInStorage);
  const answer = await response.text();
  // the address may create and not overwrite
  const isThere = response.status === 409 || response.headers.get('x-ms-error-code') === 'UnauthorizedBlobOverwrite';
  if (response.ok || (attempt > 1 && isThere)) return;
  const place = new URL(url).pathname;
  throw new Error(`PUT ${place} was answered ${response.status} by storage: ${answer.slice(0, 500)}`);
}

/** Reads one upload. */
export const getUpload = async (client: Client, project: string, id: string): Promise<Upload> =>
  (await client.get(`/projects/${project}/uploads/${id}`, uploadView)).body;

/** Finds the newest upload of a blob; undefined while its event has not arrived. */
export async function findUpload(client: Client, project: string, blob: string): Promise<Upload | undefined> {
  const path = `/projects/${project}/uploads?blob=${encodeURIComponent(blob)}`;
  return (await client.get(path, page(uploadView))).body.value[0];
}

/** All uploads of a project, newest first. */
export const listUploads = (client: Client, project: string): Promise<Upload[]> =>
  getAll(client, `/projects/${project}/uploads?limit=${uploadsPerPage}`, uploadView);
