/**
 * Which sample shows some pixels. A document named by the pixels says it: it is created before the sample, so that of files
 * with the same pixels, uploaded at the same moment by any number of processes, one becomes a sample; and it holds the whole
 * sample, so that nobody waits for one that died.
 */
import { RetryLater } from '../errors.ts';
import type { Ports, Stored } from '../ports.ts';
import type { SampleDocument } from './document.ts';
import { samplePartition } from './partition.ts';

/** a claim is in vain once for each file that was made to have another one's MD5 */
const maxTries = 5;

export type NewSample = SampleDocument & { pixelDigest: string };

/**
 * The one sample that shows the pixels of `sample`: that one, made now, unless another came first. 'md5-collision': another
 * sample has its MD5 and other bytes. Safe to repeat.
 */
export async function claimPixels(
  { documents }: Pick<Ports, 'documents'>,
  sample: NewSample,
): Promise<Stored<SampleDocument> | 'md5-collision'> {
  const { project, pixelDigest: id } = sample;
  const pk = samplePartition(project, id);
  for (let tries = 0; tries < maxTries; tries++) {
    const created = await documents.create('pixels', { id, pk, sample });
    const claimed = created === 'exists' ? await documents.read('pixels', pk, id) : created;
    if (claimed === undefined) throw new RetryLater(`the document of the pixels ${id} vanished while it was read`);
    const first = claimed.document.sample;
    const stored = await readOrMake(documents, first, created === 'exists');
    if (stored.document.sha256 === first.sha256) return stored;
    if (first.sha256 === sample.sha256) return 'md5-collision';
    // it was claimed for bytes that are no sample, since their MD5 is another one's
    await documents.replace('pixels', { ...claimed.document, sample }, claimed.etag);
  }
  throw new RetryLater(`the document of the pixels ${id} changed ${maxTries} times`);
}

/** The sample under the id of `sample`, made if it is missing; `expected`: it is likely to be there. */
async function readOrMake(
  documents: Ports['documents'],
  sample: SampleDocument,
  expected: boolean,
): Promise<Stored<SampleDocument>> {
  const known = expected ? await documents.read('samples', sample.pk, sample.id) : undefined;
  if (known !== undefined) return known;
  const created = await documents.create('samples', sample);
  const stored = created === 'exists' ? await documents.read('samples', sample.pk, sample.id) : created;
  if (stored === undefined) throw new RetryLater(`sample ${sample.id} vanished while it was read`);
  return stored;
}
