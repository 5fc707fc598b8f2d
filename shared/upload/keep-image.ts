/** The picture of an upload: inspected, described, and kept under its MD5. */
import { RetryLater } from '../errors.ts';
import type { AcceptedImage, ImageVerdict } from '../image/decode.ts';
import type { Ports } from '../ports.ts';
import type { ProjectDocument } from '../project/document.ts';
import { storedName } from '../sample/content.ts';
import { describe, type StoredImage } from '../sample/describe.ts';
import type { FileFindings, UploadDocument } from './document.ts';
import { readUploadName } from './name.ts';
import { readAnnotation, type Warnings } from './read-annotation.ts';
import { maxUploadBytes, type Original, readOriginal, type Refusal } from './read-original.ts';

/** a content type may have any length */
const maxTypeLength = 100;

export interface InspectPorts {
  inspect: (bytes: Buffer, declaredType: string | undefined) => Promise<ImageVerdict>;
}

type KeepPorts = Pick<Ports, 'blobs'> & InspectPorts;

/** Reads and judges the original, and keeps its bytes under their digest. Safe to repeat. */
export async function keepImage(
  ports: KeepPorts,
  project: ProjectDocument,
  written: Original,
  folder: string | null,
): Promise<StoredImage | Refusal> {
  const original = await readOriginal(ports, written);
  if ('problem' in original) return original;
  const image = await ports.inspect(original.body, original.contentType);
  if (!image.ok) return { problem: { code: image.reason, detail: image.detail }, body: original.body };
  const { warnings, ...seen } = readAnnotation(project, folder, original.metadata, image);
  const described = describe(image, seen, folder, findingsOf(image, warnings));
  await ports.blobs.create('datasets', storedName(project.id, described.md5), image.bytes, {
    contentType: image.mediaType,
  });
  return described;
}

/** The image of an upload whose original is gone, from what an earlier delivery kept. */
export async function readKeptImage(
  ports: KeepPorts,
  project: ProjectDocument,
  upload: UploadDocument,
  sample: string,
): Promise<StoredImage> {
  const kept = await ports.blobs.get('datasets', storedName(project.id, sample), { maxBytes: maxUploadBytes });
  const image =
    kept === undefined || kept === 'too-large' ? undefined : await ports.inspect(kept.body, kept.contentType);
  if (!image?.ok) throw new RetryLater(`the bytes of sample ${sample} of ${project.id} cannot be read`);
  const { annotation, reason, blob, trailingBytes, declaredType, warnings } = upload;
  // what was cut off is gone: what was found is in the upload's record
  const findings = {
    ...(trailingBytes === undefined ? {} : { trailingBytes }),
    ...(declaredType === undefined ? {} : { declaredType }),
    ...(warnings === undefined ? {} : { warnings }),
  };
  return describe(image, { annotation, reason }, readUploadName(blob).folder, findings);
}

function findingsOf({ trailingBytes, declaredType, warnings }: AcceptedImage, more: Warnings): FileFindings {
  const all = [...warnings, ...more];
  return {
    ...(trailingBytes === 0 ? {} : { trailingBytes }),
    ...(declaredType === null ? {} : { declaredType: declaredType.slice(0, maxTypeLength) }),
    ...(all.length === 0 ? {} : { warnings: all }),
  };
}
