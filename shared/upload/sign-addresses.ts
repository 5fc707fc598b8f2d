/** Addresses to which apps upload files, past the backend. */
import type { Ports } from '../ports.ts';
import { labelInName } from './name.ts';

const lifetimeMs = 3_600_000;

export interface FileToUpload {
  name: string;
  label?: string | undefined;
  contentType: string;
}

/** Signs an address for each file, which creates that one blob once, within an hour, with these headers. */
export async function signAddresses(
  { clock, blobs }: Pick<Ports, 'clock' | 'blobs'>,
  project: string,
  files: FileToUpload[],
) {
  const expires = new Date(clock.now().getTime() + lifetimeMs);
  return Promise.all(
    files.map(async ({ name, label, contentType }) => {
      const blob = label === undefined ? `${project}/${name}` : `${project}/${labelInName(label)}/${name}`;
      const url = await blobs.sign('uploads', blob, 'create', expires);
      const headers = { 'x-ms-blob-type': 'BlockBlob', 'content-type': contentType };
      return { name, blob, url, headers, expiresAt: expires.toISOString() };
    }),
  );
}
