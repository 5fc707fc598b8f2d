import { expect, test } from 'vitest';
import { sweepProject } from '../../../shared/project/sweep.ts';
import type { DeadLetterDocument } from '../../../shared/delivery/document.ts';
import type { EndpointDocument } from '../../../shared/endpoint/document.ts';
import type { UploadDocument } from '../../../shared/upload/document.ts';
import { findStuck } from '../../../shared/project/find-stuck.ts';
import { newEndpoint } from '../../../shared/endpoint/endpoint.ts';
import { name, trainable } from '../evaluation/trainable.ts';

const kindsOf = async (of: Awaited<ReturnType<typeof trainable>>): Promise<string[]> =>
  (await findStuck(of.world.ports, of.project)).map(({ kind }) => kind);

test('nothing is stuck in a project that is at work', async () => {
  const it = await trainable();
  expect(await kindsOf(it)).toEqual([]);
  const { run: id } = await it.ask();
  await it.work();
  await it.report(id, (await it.run(id)).token ?? '', { kind: 'started', sequence: 1 });
  expect(await kindsOf(it)).toEqual([]);
});

test('a run whose execution vanished is shown with what compute says, and the sweep mends it', async () => {
  const it = await trainable();
  const { run: id } = await it.ask();
  await it.work();
  await it.report(id, (await it.run(id)).token ?? '', { kind: 'started', sequence: 1 });
  it.world.executions.clear();
  it.world.pass(60);
  const stuck = await findStuck(it.world.ports, it.project);
  expect(stuck).toMatchObject([{ kind: 'training', id, remedy: `POST /api/v1/projects/${name}/sweep` }]);
  expect(stuck[0]?.detail).toContain('Compute knows nothing of the execution');
  expect(await sweepProject(it.world.ports, it.project)).toEqual([]);
  expect(await it.run(id)).toMatchObject({ state: 'queued', attempts: [{ attempt: 1 }] });
  expect(await kindsOf(it)).toEqual([]);
});

test('a run is shown whose document was never written, or that nobody starts', async () => {
  const it = await trainable();
  const { run: id } = await it.ask();
  it.world.pass(700);
  expect(await findStuck(it.world.ports, it.project)).toMatchObject([
    { detail: expect.stringContaining('nobody starts') },
  ]);
  await it.world.ports.documents.remove('runs', name, id);
  expect(await findStuck(it.world.ports, it.project)).toMatchObject([
    { kind: 'training', id, detail: expect.stringContaining('never written') },
  ]);
});

test('samples that no version takes are counted, and a version that was not finished is named', async () => {
  const it = await trainable();
  const at = it.world.ports.clock.now().toISOString();
  for (const id of ['a'.repeat(32), 'b'.repeat(32)])
    it.world.put('staged', { id, pk: name, revision: 1, stagedAt: at });
  const head = await it.world.read('heads', name, 'head');
  if (head !== undefined) it.world.put('heads', { ...head, unfinished: true });
  expect(await kindsOf(it)).toEqual([]);
  it.world.pass(it.project.settings.commit.maxWaitSeconds + 61);
  const stuck = await findStuck(it.world.ports, it.project);
  expect(stuck.map(({ kind }) => kind).sort()).toEqual(['samples', 'version']);
  expect(stuck.find(({ kind }) => kind === 'samples')?.detail).toMatch(/^2 labelled samples wait/);
});

test('uploads without outcome and dead letters lead to what frees them', async () => {
  const it = await trainable();
  const at = it.world.ports.clock.now().toISOString();
  it.world.put('uploads', {
    ...{ id: 'u1', pk: `${name}:1`, project: name, blob: `${name}/7/a.png`, etag: 'e', status: 'received' },
    ...{ reason: null, sample: null, annotation: null, receivedAt: at, finishedAt: null, traceparent: null },
  } as UploadDocument);
  const letter = (id: string, project: string) => ({
    ...{ id, pk: 'evaluations', queue: 'evaluations', messageId: id, body: '{}', truncated: false, project },
    ...{ reason: 'MaxDeliveryCountExceeded', detail: 'ten times', status: 'waiting', count: 1, replayedAt: null },
    ...{ firstAt: at, lastAt: at },
  });
  it.world.put('dead-letters', letter('d1', name) as DeadLetterDocument);
  it.world.put('dead-letters', letter('d2', 'another') as DeadLetterDocument);
  it.world.put('dead-letters', { ...letter('d3', name), reason: 'invalid-message' } as DeadLetterDocument);
  it.world.pass(601);
  const stuck = await findStuck(it.world.ports, it.project);
  expect(Object.fromEntries(stuck.map(({ id, remedy }) => [id, remedy]))).toEqual({
    d1: 'POST /api/v1/dead-letters/evaluations/replay {"id":"d1"}',
    d3: 'POST /api/v1/dead-letters/evaluations/dismiss {"id":"d3","reason":"..."}',
    u1: 'POST /api/v1/dead-letters/blob-created/replay',
  });
});

test('the dead letters of a project are found behind hundreds of others', async () => {
  const it = await trainable();
  const at = it.world.ports.clock.now().getTime();
  for (let n = 0; n < 250; n++) {
    const lastAt = new Date(at + (250 - n) * 1000).toISOString();
    it.world.put('dead-letters', {
      ...{ id: `d${n}`, pk: 'evaluations', queue: 'evaluations', messageId: `m${n}`, body: '{}', truncated: false },
      ...{ project: n % 100 === 99 ? name : 'another', reason: 'r', detail: 'd', status: 'waiting', count: 1 },
      ...{ replayedAt: null, firstAt: lastAt, lastAt },
    } as DeadLetterDocument);
  }
  expect((await findStuck(it.world.ports, it.project)).map(({ id }) => id).sort()).toEqual(['d199', 'd99']);
});

test('messages that were saved and not sent, and a trial that nobody decides, are shown; the sweep sends them', async () => {
  const it = await trainable();
  const at = it.world.ports.clock.now().toISOString();
  const target = { model: 2, digest: 'd', deployment: 'o1' };
  const event = { id: 'e1', pk: name, type: 't', subject: 's', text: 'x', at, cause: null, by: null };
  it.world.put('endpoints', {
    ...{ id: 'endpoint', pk: name, ...newEndpoint },
    canary: { ...target, percent: 10, minRequests: 50, maxErrorRate: 0.1, startedAt: at, endsAt: at },
    history: [{ ...target, state: 'canary', reason: 'r', by: 'b', at }],
    outbox: [{ to: 'feed', event }],
  } as EndpointDocument);
  expect(await kindsOf(it)).toEqual([]);
  it.world.pass(400);
  expect((await kindsOf(it)).sort()).toEqual(['canary', 'messages']);
  expect(await sweepProject(it.world.ports, it.project)).toEqual([]);
  expect(await kindsOf(it)).toEqual(['canary']);
  expect(it.world.all('events').map(({ id }) => id)).toContain('e1');
});
