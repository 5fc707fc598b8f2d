/** The blob service in a process that is killed: what was acknowledged, and what was under way. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BlobServiceClient } from '@azure/storage-blob';
import { expect, test, vi } from 'vitest';
import { type BlobOptions, startBlob } from '../../local/blob/server.ts';

type Event = Parameters<BlobOptions['deliver']>[1];

test('a write whose event was under way at kill -9 gets its event, and Azurite loses nothing', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'blob-'));
  const child = spawn(process.execPath, [fileURLToPath(new URL('blob-child.ts', import.meta.url)), dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const connection = await new Promise<string>((resolve) =>
      child.stdout.once('data', (d: Buffer) => resolve(d.toString().trim())),
    );
    const client = BlobServiceClient.fromConnectionString(connection, {
      retryOptions: { maxTries: 1 },
    }).getContainerClient('uploads');
    await client.create();
    const pending = client
      .getBlockBlobClient('torn')
      .upload('torn', 4)
      .catch(() => 'no answer');
    // the child's queue takes the event and never answers; it says so
    await new Promise<void>((resolve) => child.stdout.once('data', () => resolve()));
    child.kill('SIGKILL');
    expect(await pending).toBe('no answer');

    const seen: Event[] = [];
    const next = await startBlob({
      port: 0,
      dataDir: dir,
      eventsFor: { uploads: 'blob-created' },
      deliver: async (_q, e) => void seen.push(e),
    });
    try {
      await vi.waitUntil(() => seen.length === 1, { timeout: 5000 });
      expect(seen[0]?.subject).toMatch(/torn$/);
    } finally {
      await next.close();
    }
  } finally {
    child.kill('SIGKILL');
    await rm(dir, { recursive: true, force: true });
  }
});
