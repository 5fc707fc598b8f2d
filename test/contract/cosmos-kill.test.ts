/** What is left when the process is killed while it writes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BulkOperationType, type CosmosClient } from '@azure/cosmos';
import { describe, expect, test } from 'vitest';
import { emulatorKey } from '../../local/cosmos/authorization.ts';
import { connect } from './cosmos-account.ts';

describe('a killed process', () => {
  const start = async (dataDir: string): Promise<{ child: ChildProcess; client: CosmosClient }> => {
    const child = spawn(process.execPath, ['local/cosmos/server.ts', '--port', '0', '--data', dataDir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [chunk] = (await once(child.stdout, 'data')) as [Buffer];
    const port = /^ready (\d+)/.exec(chunk.toString())?.[1];
    return { child, client: connect(`http://127.0.0.1:${port}`, emulatorKey) };
  };
  const kill = async (child: ChildProcess) => {
    child.kill('SIGKILL');
    await once(child, 'exit');
  };

  test('loses no acknowledged write and half of no batch', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'cosmos-'));
    const first = await start(dataDir);
    const runs = first.client.database('darkroom').container('runs');
    const acknowledged: string[] = [];
    const dying = Promise.allSettled(
      [...Array(8).keys()].map(async (writer) => {
        for (let n = 0; n < 1000; n += 1) {
          const ids = [`${writer}-${n}-a`, `${writer}-${n}-b`];
          const batch = ids.map((id) => ({ operationType: BulkOperationType.Create, resourceBody: { id, pk: 'p' } }));
          const { code } = await runs.items.batch(batch, 'p');
          if (code !== 200) throw new Error(`batch answered ${code}`);
          acknowledged.push(...ids);
        }
      }),
    );
    await expect.poll(() => acknowledged.length, { timeout: 10_000 }).toBeGreaterThan(100);
    await kill(first.child);
    first.client.dispose();
    await dying;
    const second = await start(dataDir);
    const { resources } = await second.client
      .database('darkroom')
      .container('runs')
      .items.query<string>('SELECT VALUE c.id FROM c', { partitionKey: 'p', maxItemCount: -1 })
      .fetchAll();
    const kept = new Set(resources);
    expect(acknowledged.filter((id) => !kept.has(id))).toEqual([]);
    const halves = resources.filter(
      (id) => !kept.has(id.endsWith('a') ? id.replace(/a$/, 'b') : id.replace(/b$/, 'a')),
    );
    expect(halves).toEqual([]);
    await kill(second.child);
    second.client.dispose();
    await rm(dataDir, { recursive: true });
  });
});
