/** What runs the backend: dead letters, keys, repair, pages. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ServiceBusClient } from '@azure/service-bus';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { madeKeyView } from '../../../shared/api/views/key.ts';
import { keyId } from '../../../shared/key/secret.ts';
import { p } from '../digits.ts';
import { listShape, type Started } from './started.ts';

/** Adds the tests, which go on where those before them ended. */
export function administer(started: Started): void {
  test('activity, dead letters, health, the document itself', async () => {
    const events = await started.listOf('events-list', { params: { project: p } });
    expect(events.length).toBeGreaterThan(4);
    const oldest = String(events.at(-1)?.['at']);
    const newer = await started.listOf('events-list', { params: { project: p }, query: { after: oldest } });
    expect(newer.length).toBe(events.filter(({ at }) => String(at) > oldest).length);
    expect(await started.listOf('dead-letters-list')).toEqual([]);
    expect(
      (await started.api.send('dead-letters-replay', { params: { queue: 'evaluations' }, body: {} })).json,
    ).toEqual({
      ...{ replayed: 0, refusedCount: 0, refused: [], more: false },
    });
    expect((await started.api.send('dead-letters-replay', { params: { queue: 'nope' }, body: {} })).status).toBe(404);
    const client = new ServiceBusClient(started.platform.settings['SERVICEBUS'] ?? '');
    await client.createSender('evaluations').sendMessages({ body: 'nonsense' });
    await client.close();
    await expect.poll(() => started.listOf('dead-letters-list'), { timeout: 10_000 }).toHaveLength(1);
    const dismiss = async (id: unknown) =>
      (
        await started.api.send('dead-letters-dismiss', {
          params: { queue: 'evaluations' },
          body: { id, reason: 'nonsense' },
        })
      ).status;
    expect(await dismiss((await started.listOf('dead-letters-list'))[0]?.['id'])).toBe(200);
    expect(await dismiss('none')).toBe(404);
    expect(await started.listOf('dead-letters-list')).toEqual([]);
    expect((await started.api.send('health-live', { key: null })).status).toBe(200);
    expect((await started.api.send('health-ready')).json).toMatchObject({
      status: 'ready',
      dependencies: { documents: { ok: true }, blobs: { ok: true }, messages: { ok: true }, compute: { ok: true } },
    });
    for (const id of ['openapi', 'openapi-v1'])
      expect((await started.api.send(id)).json).toMatchObject({ openapi: '3.1.0' });
  });

  test('keys: made, listed, named, rotated, revoked', async () => {
    const made = await started.api.send('keys-post', { body: { name: 'guest', role: 'viewer', project: p } });
    expect(made.status).toBe(201);
    const { id, key } = madeKeyView.parse(made.json);
    expect((await started.api.send('projects-get', { params: { project: p }, key })).status).toBe(200);
    const names = (await started.listOf('keys-list')).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['guest', 'labeler', 'operator', 'viewer']));
    expect((await started.listOf('keys-list', { query: { project: p, limit: '1' } })).map((one) => one['id'])).toEqual([
      id,
    ]);
    const named = await started.api.send('keys-patch', { params: { key: id }, body: { name: 'camera' } });
    expect(named.json).toMatchObject({ name: 'camera', project: p });
    const rotated = madeKeyView.parse((await started.api.send('keys-rotate', { params: { key: id }, body: {} })).json);
    expect((await started.api.send('keys-get', { params: { key: id } })).json).toMatchObject({
      replacedBy: rotated.id,
    });
    expect((await started.api.send('keys-delete', { params: { key: rotated.id } })).status).toBe(200);
    expect((await started.api.send('projects-list', { key: rotated.key })).status).toBe(401);
    const day = new Date().toISOString().slice(0, 10);
    const used = async () =>
      z.looseObject({}).parse((await started.api.send('keys-get', { params: { key: id } })).json);
    await expect.poll(used).toMatchObject({ lastUsedOn: day });
  });

  test('create-key makes, lists, rotates and revokes keys of a platform whose settings it has', async () => {
    const env = { PATH: process.env['PATH'], ...started.platform.settings };
    const run = async (...args: string[]): Promise<string> =>
      (await promisify(execFile)(process.execPath, ['cli/create-key.ts', ...args], { env })).stdout.trim();
    const made = await run('--name', 'scanner 3', '--role', 'viewer', '--project', p, '--days', '1');
    const rotated = await run('--rotate', keyId(made) ?? '', '--overlap-seconds', '0');
    expect((await started.api.send('projects-get', { params: { project: p }, key: made })).status).toBe(401);
    expect((await started.api.send('projects-get', { params: { project: p }, key: rotated })).status).toBe(200);
    const list = (await run('--list')).split('\n').filter((line) => line.startsWith('scanner 3'));
    expect(list).toHaveLength(2);
    expect(list.join('\n')).toMatch(new RegExp(`viewer +digits .*${keyId(rotated)}[^]*expired +${keyId(made)}`));
    expect(await run('--revoke', keyId(rotated) ?? '')).toMatch(/^Revoked/);
    expect((await started.api.send('keys-delete', { params: { key: keyId(rotated) ?? '' } })).status).toBe(404);
  });

  test('nothing is stuck, and what is stored is what its digests say', async () => {
    expect((await started.api.send('stuck-list', { params: { project: p } })).json).toEqual({ value: [] });
    expect((await started.api.send('sweep-post', { params: { project: p } })).json).toEqual({ problems: [] });
    const samples = await started.listOf('samples-list', { params: { project: p }, query: { limit: '1000' } });
    const scrubbed = await started.api.send('scrub-post', { params: { project: p }, body: { limit: 10_000 } });
    expect(scrubbed.json).toMatchObject({ samples: samples.length, found: [], next: null });
    expect(scrubbed.json).not.toMatchObject({ models: 0 });
    expect((await started.api.send('scrub-post', { params: { project: p }, body: { from: 'zz' } })).status).toBe(400);
  });

  test('following nextLink gives every item once', async () => {
    for (const [operationId, limit] of [
      ['uploads-list', '40'],
      ['samples-list', '40'],
      ['versions-list', '1'],
      ['trainings-list', '2'],
      ['models-list', '1'],
      ['events-list', '3'],
    ] as const) {
      const all = await started.listOf(operationId, { params: { project: p }, query: { limit: '1000' } });
      const paged: unknown[] = [];
      let next = listShape.parse(
        (await started.api.send(operationId, { params: { project: p }, query: { limit } })).json,
      );
      for (let pages = 0; pages < 100; pages++) {
        paged.push(...next.value);
        if (next.nextLink === undefined) break;
        const response = await fetch(new URL(next.nextLink, started.platform.addresses.http), {
          headers: { 'x-api-key': started.keys.viewer },
        });
        next = listShape.parse(await response.json());
      }
      expect(paged, operationId).toEqual(all);
    }
  });
}
