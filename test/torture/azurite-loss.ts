/**
 * What Azurite itself loses: it writes its metadata every few seconds, so kill -9 takes acknowledged blobs with it. That
 * is a trait of the local stand-in and no invariant of ours; the rounds end it with SIGTERM, and here it is measured.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BlobServiceClient } from '@azure/storage-blob';
import pMap from 'p-map';
import { startAzurite } from '../../local/blob/azurite.ts';
import { account } from '../../local/blob/event.ts';

const host = '127.0.0.1';
const writers = 16;

const containerAt = (address: string) =>
  BlobServiceClient.fromConnectionString(
    `DefaultEndpointsProtocol=http;AccountName=${account.name};AccountKey=${account.key};BlobEndpoint=${address}/${account.name};`,
  ).getContainerClient('loss');

/** Writes `count` blobs, ends Azurite with the signal right after the last answer, and counts what a new one still has. */
export async function azuriteLoss(
  folder: string,
  count: number,
  signal: 'SIGKILL' | 'SIGTERM',
): Promise<{ acknowledged: number; lost: number }> {
  const data = path.join(folder, `azurite-${signal}`);
  const first = await startAzurite(data, { host, key: account.key });
  const container = containerAt(first.address);
  await container.create();
  // past its first save, so that the container itself is kept
  await sleep(6000);
  const names = Array.from({ length: count }, (_, n) => `blob-${n}`);
  await pMap(names, (name) => container.getBlockBlobClient(name).upload(name, name.length), { concurrency: writers });
  process.kill(Number(await readFile(path.join(data, 'azurite.pid'), 'utf8')), signal);
  const second = await startAzurite(data, { host, key: account.key });
  try {
    const there = containerAt(second.address);
    const kept = await pMap(names, (name) => there.getBlockBlobClient(name).exists(), { concurrency: writers });
    return { acknowledged: count, lost: kept.filter((one) => !one).length };
  } finally {
    await second.stop();
  }
}
