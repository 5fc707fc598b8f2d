/** What becomes of a message whose handler fails: put off, given up, or left to the broker. */
import type { InvocationContext } from '@azure/functions';
import { describe, expect, test } from 'vitest';
import { consume } from '../../../functions/consume.ts';
import { sweep } from '../../../shared/project/sweep.ts';
import { toUploadView } from '../../../shared/api/views/dataset.ts';
import { documentStore, RetryLater, TerminalError } from '../../../shared/errors.ts';
import { compose } from '../../../shared/delivery/compose.ts';
import type { runTrained } from '../../../shared/delivery/message.ts';
import type { StageRecord } from '../../../shared/ports.ts';
import { classification } from '../../../shared/task/classification/classification.ts';
import { projectSettings } from '../../../shared/project/settings.ts';
import { whyQueued } from '../../../shared/training/why-queued.ts';
import { createFakes } from '../../simulation/fakes.ts';
import { trainable } from '../evaluation/trainable.ts';
import type * as z from 'zod';

const storageAway = new RetryLater('Blob storage did not answer', { service: 'Blob storage' });
const sent = compose<z.infer<typeof runTrained>>(
  ...(['darkroom.run.trained', 'digits/r-1', { project: 'digits', run: 'r-1' }, { id: 'cause' }] as const),
);

/** The queue `evaluations`, whose handler does what `handle` says. */
function stage(handle: () => Promise<{ outcome: string }>) {
  const world = createFakes();
  const stages: StageRecord[] = [];
  const seen: object[] = [];
  const telemetry = { ...world.ports.telemetry, stage: (record: StageRecord) => void stages.push(record) };
  const ports = { ...world.ports, telemetry };
  const { handler: deliver } = consume(ports, 'evaluations', 'evaluate', (message) => {
    seen.push(message);
    return handle();
  });
  const once = (body: unknown, deliveryCount = 1) =>
    deliver(body, { invocationId: 'i', triggerMetadata: { deliveryCount } } as unknown as InvocationContext);
  /** Delivers what is due within so many seconds, as the broker would; returns how many deliveries that were. */
  const pass = async (seconds: number): Promise<number> => {
    const until = world.ports.clock.now().getTime() + seconds * 1000;
    let deliveries = 0;
    for (let next; (next = world.take({ queue: 'evaluations', until })) !== undefined; deliveries++)
      await once(next.message);
    world.pass((until - world.ports.clock.now().getTime()) / 1000);
    return deliveries;
  };
  return { world, stages, seen, deliver: once, pass };
}

describe('a message whose handler says "later"', () => {
  test('is complete, and comes again after a wait: the delivery holds nothing meanwhile', async () => {
    const { world, stages, seen, deliver } = stage(() => Promise.reject(storageAway));
    const at = world.ports.clock.now();
    await deliver(sent);
    const [next, ...more] = world.sent;
    expect(more).toEqual([]);
    expect(next?.message).toEqual({ ...sent, attempt: 2, firstseen: at.toISOString(), outage: true });
    expect(stages).toMatchObject([
      {
        ...{ outcome: 'retry-later', project: 'digits' },
        ids: { reason: storageAway.message, attempt: '1', next: new Date(next?.dueAt ?? 0).toISOString() },
      },
    ]);
    await deliver(next?.message);
    expect(seen).toEqual([sent, sent]);
  });

  test('survives an hour without a dead letter, and does its work within five minutes of its end', async () => {
    let away = true;
    const { world, stages, deliver, pass } = stage(() =>
      away ? Promise.reject(storageAway) : Promise.resolve({ outcome: 'approved' }),
    );
    await deliver(sent);
    expect(await pass(3600)).toBeLessThan(25);
    away = false;
    expect(await pass(300)).toBe(1);
    expect(stages.at(-1)?.outcome).toBe('approved');
    expect([world.all('dead-letters'), world.sent]).toEqual([[], []]);
  });

  test('is left to the broker where an earlier delivery may have put it off, down to the last ones', async () => {
    const { world, deliver, stages } = stage(() => Promise.reject(storageAway));
    for (let count = 1; count <= 10; count++) await deliver(sent, count).catch(() => undefined);
    expect(stages.map(({ outcome }) => outcome)).toEqual([
      'retry-later',
      ...Array<string>(6).fill('retried'),
      ...Array<string>(3).fill('retry-later'),
    ]);
    expect(world.sent).toHaveLength(4);
  });

  test('is left to the broker when it cannot be sent', async () => {
    const { world, deliver, stages } = stage(() => Promise.reject(storageAway));
    world.before = (operation) => {
      if (operation === 'messages.send') throw new RetryLater('The message broker did not answer');
    };
    await expect(deliver(sent)).rejects.toBe(storageAway);
    expect(stages).toMatchObject([{ outcome: 'retried', ids: { reason: storageAway.message } }]);
  });

  test('is a dead letter after a day of an outage, which the next sweep sends again as if it were new', async () => {
    let away = true;
    const { world, stages, deliver, pass } = stage(() =>
      away ? Promise.reject(storageAway) : Promise.resolve({ outcome: 'approved' }),
    );
    await deliver(sent);
    await pass(25 * 3600);
    expect(world.sent).toEqual([]);
    const [letter, ...more] = world.all('dead-letters');
    expect(more).toEqual([]);
    expect(letter).toMatchObject({ reason: 'outage', status: 'waiting', body: JSON.stringify(sent) });
    expect(letter?.detail).toContain('since 2026-03-01T12:00:00.000Z');
    expect(stages.at(-1)?.outcome).toBe('dead-lettered');
    expect(await sweep(world.ports)).toEqual({ projects: 0, resent: 1, problems: [] });
    expect(world.sent.map(({ message }) => message)).toEqual([sent]);
    away = false;
    expect(await pass(1)).toBe(1);
    expect(world.all('dead-letters')).toMatchObject([{ status: 'replayed' }]);
    expect(await sweep(world.ports)).toMatchObject({ resent: 0 });
  });

  test('is never given up while that cannot be recorded', async () => {
    const documentsAway = new RetryLater('The document store did not answer', { service: 'The document store' });
    const { world, deliver, pass } = stage(() => Promise.reject(documentsAway));
    world.before = (operation) => {
      if (operation.startsWith('documents.')) throw documentsAway;
    };
    await deliver(sent);
    await pass(3 * 24 * 3600);
    expect(world.sent).toMatchObject([{ message: { id: sent.id, outage: true } }]);
    expect(world.all('dead-letters')).toEqual([]);
  });

  test('though no service is away is a dead letter after twenty minutes, which waits for a person', async () => {
    const { world, deliver, pass } = stage(() => Promise.reject(new RetryLater('sample 7 cannot be read')));
    await deliver(sent);
    await pass(1800);
    expect(world.all('dead-letters')).toMatchObject([{ reason: 'not-ready', body: JSON.stringify(sent) }]);
    expect(await sweep(world.ports)).toMatchObject({ resent: 0 });
    expect(world.sent).toEqual([]);
  });
});

describe('what waits is told', () => {
  test('with the upload: what does not answer, and when it is tried again', async () => {
    const world = createFakes();
    const at = world.ports.clock.now().toISOString();
    const settings = projectSettings.parse({});
    world.put('projects', { id: 'digits', pk: 'projects', settings, createdAt: at, updatedAt: at });
    const { handler: handle } = consume(world.ports, 'blob-created', 'ingest', () => Promise.reject(storageAway));
    const event = {
      ...{ specversion: '1.0', id: 'e', source: '/s', type: 'Microsoft.Storage.BlobCreated' },
      ...{ subject: '/blobServices/default/containers/uploads/blobs/digits/7/a.png', data: { url: '', eTag: '0x1' } },
    };
    await handle(event, { invocationId: 'i' } as unknown as InvocationContext);
    const nextAt = new Date(world.sent[0]?.dueAt ?? 0).toISOString();
    const [upload] = world.all('uploads');
    if (upload === undefined) throw new Error('there is no upload');
    expect(toUploadView(upload, classification)).toMatchObject({
      ...{ outcome: 'received', waiting: { detail: storageAway.message, nextAt } },
    });
    expect(toUploadView({ ...upload, status: 'accepted' }, classification).waiting).toBeNull();
  });

  test('with the training, as the reason why it does not go on', async () => {
    const { ask, run, world, project } = await trainable();
    const { run: id } = await ask();
    const { handler: handle } = consume(world.ports, 'trainings', 'train', () => Promise.reject(storageAway));
    const queued = world.sent.splice(0)[0]?.message;
    await handle(queued, { invocationId: 'i' } as unknown as InvocationContext);
    const nextAt = new Date(world.sent[0]?.dueAt ?? 0).toISOString();
    const why = async () => whyQueued(await run(id), undefined, project.settings.retrain, world.ports.clock.now());
    expect(await why()).toBe(`It waits: ${storageAway.message} The next try is at ${nextAt}.`);
    world.pass(60);
    expect(await why()).not.toContain('waits');
  });

  test('and costs nothing where the documents are what is away', async () => {
    const { world, deliver } = stage(() => Promise.reject(new RetryLater('no answer', { service: documentStore })));
    world.before = (operation) => {
      if (operation.startsWith('documents.')) throw new Error('asked for');
    };
    await deliver(sent);
    expect(world.sent).toHaveLength(1);
  });
});

test('a message that can never succeed waits when its dead letter cannot be recorded', async () => {
  const { world, deliver, pass } = stage(() => Promise.reject(new TerminalError('bad-report', 'it is none')));
  world.before = (operation) => {
    if (operation.startsWith('documents.')) throw new RetryLater('no answer', { service: 'The document store' });
  };
  await deliver(sent);
  world.before = () => undefined;
  expect(await pass(10)).toBe(1);
  expect(world.all('dead-letters')).toMatchObject([{ reason: 'bad-report', detail: 'it is none' }]);
});

test('a defect is the broker\u2019s to deliver again, ten times', async () => {
  const defect = new TypeError('cannot read properties of undefined');
  const { world, deliver, stages } = stage(() => Promise.reject(defect));
  for (const count of [1, 9, 10]) await expect(deliver(sent, count)).rejects.toBe(defect);
  expect(stages.map(({ outcome }) => outcome)).toEqual(['retried', 'retried', 'retried']);
  expect(world.sent).toEqual([]);
});

test('a trace that cannot be found is no failure: the handler says what is away', async () => {
  const world = createFakes();
  const away = new RetryLater('no answer', { service: 'The document store' });
  const { handler: handle } = consume(
    ...([world.ports, 'evaluations', 'evaluate'] as const),
    () => Promise.reject(away),
    () => Promise.reject(away),
  );
  await handle(sent, { invocationId: 'i' } as unknown as InvocationContext);
  expect(world.sent).toMatchObject([{ message: { attempt: 2 } }]);
});
