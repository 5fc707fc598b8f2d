import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compose } from '../../../shared/delivery/compose.ts';
import type { Message } from '../../../shared/delivery/message.ts';
import { readMessage } from '../../../shared/delivery/read-message.ts';
import { asFirstSent, mayPutOff, planRedelivery } from '../../../shared/delivery/plan-redelivery.ts';

const noon = new Date('2026-12-01T12:00:00.000Z');
const storage = { service: 'Blob storage' };
const first = (id = 'e-1'): Message => ({
  ...{ specversion: '1.0', id, source: '/storage', type: 'Microsoft.Storage.BlobCreated' },
  ...{ subject: '/blobServices/default/containers/uploads/blobs/digits/7/a.png', data: { url: '', eTag: '0x1' } },
});

/** Puts a message off again and again for `seconds` of an outage; the seconds that it waited each time. */
function waits(seconds: number, id?: string, delay: Parameters<typeof planRedelivery>[1] = storage): number[] {
  const found: number[] = [];
  let [message, now] = [first(id), noon];
  while (now.getTime() - noon.getTime() < seconds * 1000) {
    const next = planRedelivery(message, delay, now);
    found.push((next.notBefore.getTime() - now.getTime()) / 1000);
    [message, now] = [{ ...message, ...next.carried }, next.notBefore];
  }
  return found;
}

describe('a message that is put off', () => {
  test('waits from a second to five minutes, some twenty times in an hour', () => {
    const hour = waits(3600);
    expect(hour.length).toBeGreaterThan(15);
    expect(hour.length).toBeLessThan(30);
    hour.forEach((seconds, i) => {
      const whole = Math.min(2 * 2 ** i, 300);
      expect(seconds).toBeGreaterThanOrEqual(whole / 2 - 0.001);
      expect(seconds).toBeLessThan(whole);
    });
  });

  test('comes back apart from others that met the same outage, and when its copies do', () => {
    const [a, b] = [waits(600, 'a'), waits(600, 'b')];
    expect(a).not.toEqual(b);
    expect(waits(600, 'a')).toEqual(a);
  });

  test('is left alone for as long as the service asks, up to an hour', () => {
    expect(waits(1, 'a', { ...storage, afterSeconds: 90 })).toEqual([90]);
    expect(waits(1, 'a', { ...storage, afterSeconds: 86_400 })).toEqual([3600]);
  });

  test('keeps what it is: only when and how often it came is added, and taken away again', () => {
    const message = { ...first(), ...planRedelivery(first(), storage, noon).carried };
    expect(message).toEqual({ ...first(), attempt: 2, firstseen: noon.toISOString(), outage: true });
    expect(readMessage('blob-created', JSON.parse(JSON.stringify(message)))).toEqual({ message });
    expect(asFirstSent(message)).toEqual(first());
    const run = { project: 'digits', run: 'r' };
    const own: Message = compose('darkroom.run.trained', 'digits/r', run, { id: 'c' });
    expect(asFirstSent({ ...own, ...planRedelivery(own, storage, noon).carried })).toEqual(own);
  });

  test('is overdue after a day of an outage, and after twelve deliveries of anything else', () => {
    const at = (hours: number) => new Date(noon.getTime() + hours * 3_600_000);
    const waiting = { ...first(), attempt: 200, firstseen: noon.toISOString(), outage: true };
    expect(planRedelivery(waiting, storage, at(23)).overdue).toBe(false);
    expect(planRedelivery(waiting, storage, at(24)).overdue).toBe(true);
    const unready = (attempt: number) => planRedelivery({ ...waiting, outage: false, attempt }, {}, at(1)).overdue;
    expect([unready(11), unready(12)]).toEqual([false, true]);
  });

  test('begins its waits anew when the trouble is another one, not its time', () => {
    const waiting = { ...first(), attempt: 20, firstseen: noon.toISOString(), outage: true };
    const hour = new Date(noon.getTime() + 3_600_000);
    const next = planRedelivery(waiting, {}, hour);
    expect(next).toMatchObject({ overdue: false, carried: { attempt: 2, firstseen: noon.toISOString() } });
    expect(next.notBefore.getTime() - hour.getTime()).toBeLessThan(2000);
    expect(planRedelivery(waiting, {}, new Date(noon.getTime() + 86_400_000)).overdue).toBe(true);
  });
});

test('what somebody else wrote where the attempt stands makes no message invalid', () => {
  for (const odd of [{ attempt: 'x' }, { attempt: -1, firstseen: 'yesterday' }, { outage: 'no', attempt: 1e9 }])
    expect(readMessage('blob-created', { ...first(), ...odd })).toEqual({ message: first() });
});

test('of ten deliveries by the broker at most four put their message off, the first and the last among them', () => {
  const may = Array.from({ length: 10 }, (_, i) => i + 1).filter((n) => mayPutOff(n, 10));
  expect(may).toEqual([1, 8, 9, 10]);
});

test('whatever a message carries: it is put off into the future, by at most an hour', () => {
  const carried = fc.record(
    {
      attempt: fc.integer({ min: 1, max: 100_000 }),
      firstseen: fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('2100-01-01') }),
      outage: fc.boolean(),
    },
    { requiredKeys: [] },
  );
  const delay = fc.record({ service: fc.constantFrom(undefined, 'Compute'), afterSeconds: fc.integer({ min: 0 }) });
  fc.assert(
    fc.property(carried, delay, ({ firstseen, ...rest }, asked) => {
      const message = { ...first(), ...rest, ...(firstseen && { firstseen: firstseen.toISOString() }) };
      const next = planRedelivery(message, asked, noon);
      const seconds = (next.notBefore.getTime() - noon.getTime()) / 1000;
      expect(seconds).toBeGreaterThanOrEqual(1);
      expect(seconds).toBeLessThanOrEqual(3600);
      expect(next.carried.attempt).toBeGreaterThan(1);
    }),
  );
});
