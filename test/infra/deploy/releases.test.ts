/** The packages that were deployed last, on a real storage service. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { BlobServiceClient, type ContainerClient, StorageSharedKeyCredential } from '@azure/storage-blob';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Azurite, startAzurite } from '../../../local/blob/azurite.ts';
import { account } from '../../../local/blob/event.ts';
import {
  chooseRelease,
  type Deployment,
  deploymentsOf,
  keepRelease,
  keptReleases,
  readRelease,
  recordDeployment,
  releasesIn,
  withDeployment,
} from '../../../infra/deploy/releases.ts';

const digest = (n: number): string => n.toString(16).padStart(64, '0');
const daysFromNow = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString();
const deployed = (release: string, days = 0): Deployment => ({
  release,
  at: daysFromNow(days),
  commit: 'c0ffee',
});

describe('history', () => {
  test('previous is what was live before, so going back twice returns', () => {
    const first = [deployed(digest(2)), deployed(digest(1))];
    const back = withDeployment(first, deployed(chooseRelease(first, 'previous')));
    expect(releasesIn(back)[0]).toBe(digest(1));
    expect(chooseRelease(back, 'previous')).toBe(digest(2));
  });

  test('the same package deployed again is no previous one', () => {
    const again = withDeployment([deployed(digest(1))], deployed(digest(1)));
    expect(() => chooseRelease(again, 'previous')).toThrow('no previous release');
  });

  test('a digest needs to be known and to mean one release', () => {
    const some = [deployed(`abcdef1${'0'.repeat(57)}`), deployed(`abcdef2${'0'.repeat(57)}`)];
    expect(chooseRelease(some, 'abcdef2')).toBe(some[1]?.release);
    expect(() => chooseRelease(some, 'abcdef')).toThrow('More than one release begins with "abcdef"');
    expect(() => chooseRelease(some, 'fedcba')).toThrow('No release begins with "fedcba"; kept: abcdef1');
    expect(() => chooseRelease(some, '')).toThrow('No release begins');
  });

  test('whatever is deployed in whatever order, the live release and the four before it are kept, and no more', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 80 }), (sequence) => {
        let all: Deployment[] = [];
        for (const [i, n] of sequence.entries()) all = withDeployment(all, deployed(digest(n), i));
        const last = [...new Set([...sequence].reverse())].slice(0, keptReleases);
        expect(releasesIn(all)).toEqual(last.map(digest));
        expect(all.length).toBeLessThanOrEqual(50);
      }),
    );
  });
});

describe('on storage', () => {
  let folder: string;
  let azurite: Azurite;
  let container: ContainerClient;
  let made = 0;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'releases-'));
    azurite = await startAzurite(folder, { host: '127.0.0.1', key: account.key });
  }, 60_000);
  afterAll(async () => {
    await azurite.stop();
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    const credential = new StorageSharedKeyCredential(account.name, account.key);
    const service = new BlobServiceClient(`${azurite.address}/${account.name}`, credential);
    container = service.getContainerClient(`releases${made++}`);
    await container.create();
  });

  const zipsIn = async (): Promise<number> => {
    let found = 0;
    for await (const { name } of container.listBlobsFlat()) if (name.endsWith('.zip')) found++;
    return found;
  };

  test('the last five packages are kept, and any of them is read back as it was', async () => {
    for (let n = 0; n < 7; n++) {
      const release = await keepRelease(container, Buffer.from(`package ${n}`));
      await recordDeployment(container, deployed(release, n));
    }
    // the sixth is two days old by now, and gone
    expect(await zipsIn()).toBe(keptReleases);
    const deployments = await deploymentsOf(container);
    const previous = await readRelease(container, chooseRelease(deployments, 'previous'));
    expect(previous.toString()).toBe('package 5');
    expect(deployments).toHaveLength(keptReleases);
  });

  test('a package that was uploaded and never deployed does not push a good one out', async () => {
    for (let n = 0; n < keptReleases; n++) {
      const release = await keepRelease(container, Buffer.from(`good ${n}`));
      await recordDeployment(container, deployed(release, n));
    }
    const failed = await keepRelease(container, Buffer.from('a deployment that failed'));
    expect(releasesIn(await deploymentsOf(container))).not.toContain(failed);
    expect((await readRelease(container, releasesIn(await deploymentsOf(container))[4] ?? '')).toString()).toBe(
      'good 0',
    );
  });

  test('two deployments at once are both remembered', async () => {
    const releases = await Promise.all(['a', 'b'].map((text) => keepRelease(container, Buffer.from(text))));
    await Promise.all(releases.map((release, n) => recordDeployment(container, deployed(release, n / 1000))));
    expect(releasesIn(await deploymentsOf(container)).sort()).toEqual(releases.sort());
    expect(await zipsIn()).toBe(2);
  });

  test('a package whose bytes were exchanged is not deployed', async () => {
    const release = await keepRelease(container, Buffer.from('as built'));
    await container.getBlockBlobClient(`${release}.zip`).uploadData(Buffer.from('something else'));
    await expect(readRelease(container, release)).rejects.toThrow('other bytes than its name says');
  });

  test('a history that nobody understands is an error, not an empty one', async () => {
    await container.getBlockBlobClient('history.json').uploadData(Buffer.from('{"deployments":[{"release":"x"}]}'));
    await expect(deploymentsOf(container)).rejects.toThrow('history.json is not understood');
  });
});
