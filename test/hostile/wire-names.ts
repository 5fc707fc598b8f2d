/** Names of the corpus over the wire: as storage takes them, not as an SDK mends them. */
import pMap from 'p-map';
import { names } from './names.ts';
import { type Target, tile } from './platform.ts';
import { encode, exchange } from './raw.ts';

export interface Stored {
  name: string;
  expected: string;
  /** of the answer to the write */
  status: number;
  etag: string;
}

/** Where storage decides before we do: it turns backslashes round, and takes no bytes that are no text, nor long names. */
const atStorage: Record<string, string> = {
  backslashes: 'accepted dark',
  'half of an emoji, which storage does not keep': 'storage answers 400',
  '1,025 characters, which storage does not keep': 'storage answers 400',
};

/** Percent-encodes everything that an address cannot carry; slashes stay. */
const encoded = (blob: string): string =>
  blob
    .split('/')
    .map((part) => (part.isWellFormed() ? encodeURIComponent(part) : '%ed%a0%bd'))
    .join('/');

/** Writes a picture under every name, each another one; returns what storage answered. */
export async function writeNames({ ports }: Target): Promise<Stored[]> {
  const signed = await ports.blobs.sign('uploads', 'x', 'create-any', new Date(Date.now() + 600_000));
  const { origin, pathname, search, host } = new URL(signed);
  const numbered = names.map((one, i) => ({ ...one, expected: atStorage[one.name] ?? one.expected, i }));
  return pMap(
    numbered,
    async ({ name, input, expected, i }) => {
      const body = await tile(i + 3);
      const target = `${pathname.slice(0, -1)}${encoded(input.blob ?? '')}${search}`;
      const headers: [string, string][] = [
        ['host', host],
        ['x-ms-version', '2021-12-02'],
        ['x-ms-blob-type', 'BlockBlob'],
        ['content-type', 'image/png'],
        ['content-length', String(body.length)],
      ];
      const answer = await exchange(origin, encode({ method: 'PUT', target, headers, body }), 20_000);
      if (answer === 'closed') return { name, expected, status: 0, etag: '' };
      const etag = (answer.headers.get('etag') ?? '').replaceAll('"', '');
      return { name, expected, status: answer.status, etag };
    },
    { concurrency: 4 },
  );
}
