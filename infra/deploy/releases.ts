/**
 * The packages that were deployed last, in a container beside the app's own: named by their digest, with a history of
 * deployments in `history.json`. The app itself has no history: Flex Consumption keeps one package and has no slots.
 */
import { createHash } from 'node:crypto';
import { type ContainerClient, RestError } from '@azure/storage-blob';
import * as z from 'zod';

const deployment = z.object({
  /** sha-256 of the package, in hex */
  release: z.string().regex(/^[0-9a-f]{64}$/),
  at: z.iso.datetime(),
  /** commit it was built from, as far as known */
  commit: z.string().max(64),
});
const history = z.object({ deployments: z.array(deployment).max(100) });

export type Deployment = z.infer<typeof deployment>;

/** releases that can be gone back to, the one that is live included */
export const keptReleases = 5;
const keptDeployments = 50;
const maxHistoryBytes = 256 * 1024;
const maxTries = 5;
const underWayMs = 24 * 3600 * 1000;
const historyName = 'history.json';

const digestOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const nameOf = (release: string): string => `${release}.zip`;
const hasStatus = (error: unknown, ...statuses: number[]): boolean =>
  error instanceof RestError && statuses.includes(error.statusCode ?? 0);

/** Different releases, the one deployed last first. */
export const releasesIn = (deployments: Deployment[]): string[] => [
  ...new Set(deployments.map(({ release }) => release)),
];

/** Deployments with one more at the front; what no kept release belongs to is forgotten. */
export function withDeployment(deployments: Deployment[], next: Deployment): Deployment[] {
  const all = [next, ...deployments].slice(0, keptDeployments);
  const kept = new Set(releasesIn(all).slice(0, keptReleases));
  return all.filter(({ release }) => kept.has(release));
}

/**
 * The release that is meant: `previous` is the one that was live before the present one, so that going back twice
 * returns; anything else is the beginning of a digest. Throws with what there is.
 */
export function chooseRelease(deployments: Deployment[], wanted: string): string {
  const releases = releasesIn(deployments);
  const known = releases.map((release) => release.slice(0, 12)).join(', ') || 'none';
  if (wanted === 'previous') {
    if (releases[1] === undefined) throw new Error(`There is no previous release to go back to; kept: ${known}`);
    return releases[1];
  }
  const found = releases.filter((release) => wanted.length >= 6 && release.startsWith(wanted));
  if (found.length !== 1 || found[0] === undefined)
    throw new Error(`${found.length === 0 ? 'No' : 'More than one'} release begins with "${wanted}"; kept: ${known}`);
  return found[0];
}

async function readHistory(
  container: ContainerClient,
): Promise<{ deployments: Deployment[]; etag: string | undefined }> {
  const blob = container.getBlockBlobClient(historyName);
  try {
    const { etag, contentLength = 0 } = await blob.getProperties();
    if (contentLength > maxHistoryBytes) throw new Error(`${historyName} has more than ${maxHistoryBytes} bytes`);
    const bytes = await blob.downloadToBuffer(0, undefined, { conditions: { ifMatch: etag ?? '' } });
    const parsed = history.safeParse(JSON.parse(bytes.toString('utf8')));
    if (!parsed.success) throw new Error(`${historyName} is not understood: ${z.prettifyError(parsed.error)}`);
    return { deployments: parsed.data.deployments, etag };
  } catch (error) {
    if (hasStatus(error, 404)) return { deployments: [], etag: undefined };
    throw error;
  }
}

/** Deployments, newest first. */
export const deploymentsOf = async (container: ContainerClient): Promise<Deployment[]> =>
  (await readHistory(container)).deployments;

/** Keeps a package before it is deployed; returns its name among the releases. A package that is kept stays as it is. */
export async function keepRelease(container: ContainerClient, bytes: Buffer): Promise<string> {
  const release = digestOf(bytes);
  try {
    await container.getBlockBlobClient(nameOf(release)).uploadData(bytes, { conditions: { ifNoneMatch: '*' } });
  } catch (error) {
    if (!hasStatus(error, 409, 412)) throw error;
  }
  return release;
}

/** Bytes of a kept package. Throws when they are not what their name says. */
export async function readRelease(container: ContainerClient, release: string): Promise<Buffer> {
  const bytes = await container.getBlockBlobClient(nameOf(release)).downloadToBuffer();
  if (digestOf(bytes) !== release) throw new Error(`The kept package ${release} has other bytes than its name says`);
  return bytes;
}

/** Records that a release is live, and removes the packages that cannot be gone back to any more. */
export async function recordDeployment(container: ContainerClient, next: Deployment): Promise<void> {
  for (let tries = 1; ; tries++) {
    const { deployments, etag } = await readHistory(container);
    const kept = withDeployment(deployments, next);
    const body = JSON.stringify({ deployments: kept });
    const conditions = etag === undefined ? { ifNoneMatch: '*' } : { ifMatch: etag };
    try {
      await container.getBlockBlobClient(historyName).upload(body, Buffer.byteLength(body), { conditions });
      await removeOthers(container, new Set(kept.map(({ release }) => nameOf(release))), Date.parse(next.at));
      return;
    } catch (error) {
      if (!hasStatus(error, 409, 412) || tries === maxTries) throw error;
    }
  }
}

/** A young package may belong to a deployment that is under way. */
async function removeOthers(container: ContainerClient, names: Set<string>, now: number): Promise<void> {
  for await (const { name, properties } of container.listBlobsFlat()) {
    const isYoung = now - properties.lastModified.getTime() < underWayMs;
    if (name.endsWith('.zip') && !names.has(name) && !isYoung) await container.deleteBlob(name).catch(ignoreMissing);
  }
}

function ignoreMissing(error: unknown): void {
  if (!hasStatus(error, 404)) throw error;
}
