/**
 * Recomputes digests of what is stored and compares the store with its documents. Storage that rots, a lifecycle rule
 * that deletes too much, or a person with a storage explorer: nothing else would notice before a training fails.
 */
import { createHash } from 'node:crypto';
import pMap from 'p-map';
import { storedName } from '../sample/content.ts';
import type { Target } from '../endpoint/endpoint.ts';
import { listAll } from '../list-all.ts';
import type { Ports } from '../ports.ts';
import { modelBlob } from '../model/artifact.ts';
import type { BlobContainer } from '../resources.ts';
import { samplePartition } from '../sample/partition.ts';

export interface Damage {
  blob: string;
  /** `damaged`: other bytes than its name says; `missing`: a document refers to it; `orphaned`: no document does */
  what: 'damaged' | 'missing' | 'orphaned';
  detail: string;
}

export interface ScrubReport {
  samples: number;
  models: number;
  found: Damage[];
  /** where the next call goes on; null: all was seen */
  next: string | null;
}

type ScrubPorts = Pick<Ports, 'documents' | 'blobs' | 'clock'>;

const partitions = 256;
/** samples of one partition; a project of a million samples has 4,000 in each */
const maxPartition = 20_000;
/** below the limit of a request, with room for the partition under way */
const maxMilliseconds = 60_000;
const readsAtOnce = 4;

/**
 * Goes over the samples, one partition (first two digits of the md5) after another, from `from` until at least `limit`
 * were read or a minute has passed; a scrub from `00` also reads every model that is live, on trial or one rollback away.
 */
export async function scrub(ports: ScrubPorts, project: string, from: string, limit: number): Promise<ScrubReport> {
  const startedAt = ports.clock.now().getTime();
  const found: Damage[] = [];
  let models = 0;
  if (from === '00') {
    const seen = await scrubModels(ports, project);
    models = seen.models;
    found.push(...seen.found);
  }
  let samples = 0;
  let partition = Number.parseInt(from, 16);
  while (partition < partitions && samples < limit && ports.clock.now().getTime() - startedAt < maxMilliseconds) {
    const seen = await scrubPartition(ports, project, hex(partition));
    samples += seen.samples;
    found.push(...seen.found);
    partition++;
  }
  return { samples, models, found, next: partition < partitions ? hex(partition) : null };
}

/** DVC's list of a version's files: named by its digest too, and no sample. */
const isDirectory = (id: string): boolean => id.endsWith('.dir');
const hex = (partition: number): string => partition.toString(16).padStart(2, '0');

async function scrubPartition(
  ports: ScrubPorts,
  project: string,
  partition: string,
): Promise<{ samples: number; found: Damage[] }> {
  const prefix = storedName(project, partition);
  const documents = await sampleIds(ports, samplePartition(project, partition));
  // listed after the documents were read: the bytes are stored first, so what has a document has been stored
  const stored = new Set(
    (await ports.blobs.list('datasets', prefix, maxPartition)).map((name) => partition + name.slice(prefix.length)),
  );
  const found: Damage[] = [];
  for (const id of documents) {
    if (stored.has(id)) continue;
    found.push(
      damage(project, id, 'missing', 'A sample has lost its bytes. Restore the blob, or upload the same file again.'),
    );
  }
  const faults = await pMap([...stored], (id) => inspect(ports, project, id, documents.has(id)), {
    concurrency: readsAtOnce,
  });
  const samples = [...stored].filter((id) => !isDirectory(id)).length;
  return { samples, found: [...found, ...faults.filter((fault) => fault !== undefined)] };
}

async function sampleIds(ports: ScrubPorts, pk: string): Promise<Set<string>> {
  const ids = new Set<string>();
  const samples = listAll(ports.documents, 'samples', { pk, limit: 1000 }, maxPartition);
  for await (const { document } of samples) ids.add(document.id);
  return ids;
}

async function inspect(ports: ScrubPorts, project: string, id: string, known: boolean): Promise<Damage | undefined> {
  const md5 = await digestOf(ports, 'datasets', storedName(project, id), 'md5');
  if (md5 === undefined) return undefined;
  if (md5 !== id.slice(0, 32)) {
    const detail = `The bytes have the digest ${md5}. Restore the blob, or delete it and upload the same file again; until then trainings and exports read it as it is.`;
    return damage(project, id, 'damaged', detail);
  }
  if (
    known ||
    isDirectory(id) ||
    (await ports.documents.read('samples', samplePartition(project, id), id)) !== undefined
  )
    return undefined;
  const detail =
    'No sample refers to these bytes: an ingest is under way, or ended between its two writes. They harm nobody.';
  return damage(project, id, 'orphaned', detail);
}

async function digestOf(
  ports: ScrubPorts,
  container: BlobContainer,
  blob: string,
  algorithm: 'md5' | 'sha256',
): Promise<string | undefined> {
  const stored = await ports.blobs.stream(container, blob);
  if (stored === undefined) return undefined;
  const hash = createHash(algorithm);
  for await (const chunk of stored.body) hash.update(chunk);
  return hash.digest('hex');
}

const damage = (project: string, id: string, what: Damage['what'], detail: string): Damage => ({
  blob: `datasets/${storedName(project, id)}`,
  what,
  detail,
});

async function scrubModels(ports: ScrubPorts, project: string): Promise<{ models: number; found: Damage[] }> {
  const endpoint = (await ports.documents.read('endpoints', project, 'endpoint'))?.document;
  const behind = [endpoint?.production, endpoint?.canary, endpoint?.previous].filter((t): t is Target => Boolean(t));
  const digests = new Map(behind.map(({ digest, model }) => [digest, model]));
  const faults = await pMap(
    [...digests],
    async ([digest, model]): Promise<Damage | undefined> => {
      const blob = modelBlob(project, digest);
      const sha256 = await digestOf(ports, 'models', blob, 'sha256');
      const remedy = `Deploy another version, then restore model ${model} or train again.`;
      if (sha256 === undefined)
        return { blob: `models/${blob}`, what: 'missing', detail: `The endpoint needs it. ${remedy}` };
      return sha256 === digest
        ? undefined
        : { blob: `models/${blob}`, what: 'damaged', detail: `The bytes are not those that were judged. ${remedy}` };
    },
    { concurrency: 1 },
  );
  return { models: digests.size, found: faults.filter((fault) => fault !== undefined) };
}
