/** Reading what an app has written, as it was when its event was sent. */
import { TerminalError } from '../errors.ts';
import type { BlobContent, Ports } from '../ports.ts';
import type { UploadDocument } from './document.ts';

/** More is refused unread: a 20-megapixel PNG of noise stays below. */
export const maxUploadBytes = 64 * 1024 * 1024;

/** One finished write to the uploads container. */
export interface Original {
  blob: string;
  etag: string;
  /** as the event has it; missing: a block blob */
  blobType?: string | undefined;
}

/** Why an upload is refused, and what of it was read; 'gone': it was overwritten or deleted before. */
export type Refusal = { problem: 'gone' } | { problem: NonNullable<UploadDocument['reason']>; body: Buffer | 'unread' };

/** Reads the very write that an event tells of, of at most so many bytes, or finds what stands in the way. */
export async function readOriginal(
  { blobs }: Pick<Ports, 'blobs'>,
  { blob, etag, blobType = 'BlockBlob' }: Original,
  maxBytes = maxUploadBytes,
): Promise<BlobContent | Refusal> {
  // an append or page blob is there before its contents are, and no event tells when they are complete
  if (blobType !== 'BlockBlob') {
    const detail = `The file was written as ${JSON.stringify(blobType.slice(0, 40))}, which is filled after it is made: nobody can tell when it is complete. Upload it as a block blob (x-ms-blob-type: BlockBlob).`;
    return { problem: { code: 'not-a-block-blob', detail }, body: 'unread' };
  }
  try {
    const original = await blobs.get('uploads', blob, { maxBytes, ifMatch: etag });
    if (original === undefined) return { problem: 'gone' };
    if (original !== 'too-large') return original;
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error;
    return { problem: { code: error.code, detail: error.message }, body: 'unread' };
  }
  const detail =
    maxBytes === maxUploadBytes
      ? `The file is larger than ${maxBytes / 1024 / 1024} MB and was not read. Make the picture smaller or compress it more.`
      : `The file is larger than ${maxBytes / 1024} KB and was not read. It says what one picture shows, and nothing else.`;
  return { problem: { code: 'too-large-bytes', detail }, body: 'unread' };
}
