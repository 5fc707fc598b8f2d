/** Messages that get stuck on real services: recorded with their reason, sent again, given up. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ServiceBusClient } from '@azure/service-bus';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createKey } from '../../local/first-key.ts';
import type { Platform } from '../../local/platform.ts';
import { deadLetterView } from '../../shared/api/views/operations.ts';
import { page } from '../../shared/api/views/page.ts';
import { connect } from '../../shared/azure/connect.ts';
import { readConfig } from '../../shared/config.ts';
import type { DeadLetterDocument } from '../../shared/delivery/document.ts';
import type { ProjectDocument } from '../../shared/project/document.ts';
import { compose } from '../../shared/delivery/compose.ts';
import { update } from '../../shared/update.ts';
import type { Ports } from '../../shared/ports.ts';
import { type Api, createApi } from './client.ts';
import { startApp } from '../platform.ts';

let folder: string;
let platform: Platform;
let ports: Ports;
let api: Api;
const soon = { timeout: 30_000, interval: 100 };

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'darkroom-dead-letters-'));
  platform = await startApp({
    dataDir: folder,
    jobCommand: ['/bin/false'],
  });
  ports = connect(readConfig(platform.settings));
  api = createApi(platform.addresses.http ?? '', await createKey(platform.settings, 'operator'));
}, 90_000);
afterAll(async () => {
  await platform?.close();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

describe('a message', () => {
  const stuck = () => api.read(page(deadLetterView), '/dead-letters');

  test('that nobody understands is recorded at its first delivery, and refused when it is sent again', async () => {
    const client = new ServiceBusClient(platform.settings['SERVICEBUS'] ?? '');
    await client.createSender('deployments').sendMessages({ body: { hello: 'world' } });
    await client.close();
    await expect.poll(async () => (await stuck()).value.map((d) => d.reason), soon).toEqual(['invalid-message']);
    const replay = await api.call('POST', '/dead-letters/deployments/replay', {});
    expect(replay).toMatchObject({ status: 202, body: { replayed: 0, refused: [{}] } });
    const [letter] = (await stuck()).value;
    const giveUp = () => api.call('POST', '/dead-letters/deployments/dismiss', { id: letter?.id, reason: 'a mistake' });
    for (let i = 0; i < 2; i++) {
      const dismissed = { by: expect.any(String), reason: 'a mistake' };
      expect(await giveUp()).toMatchObject({ status: 200, body: { status: 'dismissed', dismissed } });
    }
    expect((await stuck()).value).toEqual([]);
    const given = await api.read(page(deadLetterView), '/dead-letters?status=dismissed');
    expect(given.value).toMatchObject([{ id: letter?.id, body: '{"hello":"world"}' }]);
  });

  test('that failed ten times is kept with its reason, and does its work when it is sent again', async () => {
    const at = new Date().toISOString();
    const damaged = { id: 'damaged', pk: 'projects', settings: {}, createdAt: at, updatedAt: at };
    await ports.documents.create('projects', damaged as ProjectDocument);
    const staged = { id: 'a'.repeat(32), pk: 'damaged', revision: 1, stagedAt: at };
    await ports.documents.create('staged', staged);
    const data = { project: 'damaged', generation: 0, openedAt: at, now: true };
    await ports.messages.send('dataset-commits', [compose('darkroom.commit.due', 'damaged', data, { id: 'test' })]);
    const waiting = async () => (await stuck()).value.find((d) => d.queue === 'dataset-commits');
    await expect.poll(async () => (await waiting())?.reason, soon).toBe('MaxDeliveryCountExceeded');
    expect(await waiting()).toMatchObject({ project: 'damaged', status: 'waiting', count: 1 });
    expect((await waiting())?.detail).toContain('10 delivery attempts');

    await update(ports.documents, 'projects', 'projects', 'damaged', (p) =>
      p === undefined
        ? 'keep'
        : { ...p, settings: { ...p.settings, commit: { quietSeconds: 1, maxWaitSeconds: 60, maxItems: 10 } } },
    );
    const replay = await api.call('POST', '/dead-letters/dataset-commits/replay', {});
    expect(replay.body).toEqual({ replayed: 1, refusedCount: 0, refused: [], more: false });
    await expect.poll(async () => ports.documents.count('staged', { pk: 'damaged' }), soon).toBe(0);
    expect(await waiting()).toBeUndefined();
  });

  test('is sent again however many that nobody understands came after it', async () => {
    const queue = 'trainings';
    const data = { project: 'tiles', run: 'unknown', token: 'unknown' };
    const letter = (n: number, body: unknown): DeadLetterDocument => {
      const at = new Date(Date.now() + n * 1000).toISOString();
      return {
        ...{ id: `letter-${n}`, pk: queue, queue, messageId: '', body: JSON.stringify(body), truncated: false },
        ...{ reason: 'test', detail: 'test', project: 'tiles', status: 'waiting', count: 1, firstAt: at, lastAt: at },
        replayedAt: null,
      };
    };
    const letters = Array.from({ length: 520 }, (_, n) => letter(n + 1, {}));
    letters.push(letter(0, compose('darkroom.run.poll', 'tiles/unknown', data, { id: 'test' })));
    for (let at = 0; at < letters.length; at += 100) {
      const documents = letters.slice(at, at + 100);
      await ports.documents.batch(
        'dead-letters',
        queue,
        documents.map((document) => ({ kind: 'create' as const, document })),
      );
    }
    const replay = async () =>
      (await api.call('POST', `/dead-letters/${queue}/replay`, {})).body as { refused: unknown[] };
    const first = await replay();
    expect(first).toMatchObject({ replayed: 1, refusedCount: 520, more: false });
    expect(first.refused).toHaveLength(100);
    expect(await replay()).toMatchObject({ replayed: 0 });
  });
});
