import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  blobCreatedEvent,
  type Cause,
  commitDue,
  queueMessages,
  runPoll,
  runQueued,
} from '../../../shared/delivery/message.ts';
import { compose } from '../../../shared/delivery/compose.ts';
import { readMessage } from '../../../shared/delivery/read-message.ts';

const anyCause: fc.Arbitrary<Cause> = fc.record(
  {
    id: fc.string({ minLength: 1, maxLength: 400, unit: 'grapheme' }),
    correlationid: fc.option(fc.string({ maxLength: 400 }), { nil: undefined }),
    traceparent: fc.option(fc.string({ maxLength: 200 }), { nil: undefined }),
  },
  { requiredKeys: ['id'] },
);
const queued = (cause: Cause, run = 't1', nonce = ''): ReturnType<typeof compose> =>
  compose('darkroom.run.queued', `digits/${run}`, { project: 'digits', run }, cause, nonce);

describe('a message', () => {
  test('is understood by its queue whatever caused it, however long the ids and whatever came as trace context', () => {
    fc.assert(
      fc.property(anyCause, (cause) => {
        expect(queueMessages['trainings'].safeParse(queued(cause)).error).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });

  test('of the same cause, type and subject has the same id, however often it is composed; any other has another', () => {
    const one = queued({ id: 'a' });
    expect(queued({ id: 'a', correlationid: 'x' }).id).toBe(one.id);
    const others = [
      queued({ id: 'b' }),
      queued({ id: 'a' }, 't2'),
      queued({ id: 'a' }, 't1', 'next'),
      compose('darkroom.run.ended', 'digits/t1', { project: 'digits', run: 't1' }, { id: 'a' }),
    ];
    expect(new Set([one.id, ...others.map((m) => m.id)]).size).toBe(5);
  });

  test('says which version its data has; one that does not say has the first, and that of a newer release is kept for it', () => {
    const { dataversion, ...without } = queued({ id: 'a' }) as ReturnType<typeof queued> & { dataversion?: number };
    expect(dataversion).toBe(1);
    expect(readMessage('trainings', without)).toEqual({ message: without });
    expect(readMessage('trainings', { ...without, dataversion: 2 })).toEqual({
      reason: 'newer-message',
      invalid: expect.stringMatching(/^dataversion: .*a newer one sent this: replay it once that release runs again/),
    });
  });

  test('names its cause, keeps the correlation of the first and passes a valid trace on', () => {
    const traceparent = `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01`;
    expect(queued({ id: 'a', traceparent })).toMatchObject({ causationid: 'a', correlationid: 'a', traceparent });
    expect(queued({ id: 'b', correlationid: 'a' })).toMatchObject({ causationid: 'b', correlationid: 'a' });
    expect(queued({ id: 'a', traceparent: 'nonsense' })).not.toHaveProperty('traceparent');
  });

  test('of an idempotency key as long as it may be keeps ids apart', () => {
    const long = (end: string): string =>
      queued({ id: `http-trainings-post-${'k'.repeat(199)}${end}` }).causationid ?? '';
    expect(long('a')).toHaveLength(200);
    expect(long('a')).not.toBe(long('b'));
  });
});

describe('a queue', () => {
  const envelope = { specversion: '1.0', id: 'e', source: '/x' };

  test('refuses what is not its own', () => {
    expect(queueMessages.deployments.safeParse(queued({ id: 'a' })).success).toBe(false);
    expect(runQueued.safeParse({ ...queued({ id: 'a' }), specversion: '0.3' }).success).toBe(false);
    expect(runQueued.safeParse({ ...queued({ id: 'a' }), data: { project: '../other', run: 't1' } }).success).toBe(
      false,
    );
    expect(runPoll.safeParse({ ...queued({ id: 'a' }), type: 'darkroom.run.poll' }).success).toBe(false);
    for (const data of [{}, null, 1, { project: 'digits', generation: -1, openedAt: 'now', now: false }])
      expect(commitDue.safeParse({ ...envelope, type: 'darkroom.commit.due', subject: '', data }).success).toBe(false);
  });

  test('takes storage events as Event Grid sends them, and passes over what it does not know', () => {
    const event = {
      ...envelope,
      type: 'Microsoft.Storage.BlobCreated',
      subject: '/blobServices/default/containers/uploads/blobs/digits/7/a.png',
      time: '2026-03-01T12:00:00.1234567Z',
      data: {
        api: 'PutBlob',
        eTag: '0x8D',
        url: 'https://x',
        contentLength: 524_288,
        storageDiagnostics: { batchId: 'b' },
      },
      more: 1,
    };
    expect(blobCreatedEvent.parse(event)).toMatchObject({ id: 'e', data: { eTag: '0x8D', contentLength: 524_288 } });
  });
});
