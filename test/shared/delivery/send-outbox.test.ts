import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HeadDocument } from '../../../shared/dataset/document.ts';
import type { Outgoing } from '../../../shared/delivery/document.ts';
import { compose } from '../../../shared/delivery/compose.ts';
import type { Message } from '../../../shared/delivery/message.ts';
import { outboxOf, sendOutbox } from '../../../shared/delivery/send-outbox.ts';
import { update } from '../../../shared/update.ts';
import type { Stored } from '../../../shared/ports.ts';
import { createFakes, type Fakes } from '../../simulation/fakes.ts';

const head = (outbox: Outgoing[] = []): HeadDocument => ({
  ...{ id: 'head', pk: 'digits', generation: 0, head: null, unfinished: false, outbox },
});
const message = (n: number): Message =>
  compose('darkroom.run.queued', `${n}`, { project: 'digits', run: `t${n}` }, { id: `${n}` });
const queued = (n: number, notBefore?: string): Outgoing => ({
  ...{ to: 'queue', queue: 'trainings', message: message(n) },
  ...(notBefore === undefined ? {} : { notBefore }),
});
const told = (n: number): Outgoing => ({
  to: 'feed',
  event: { id: `e${n}`, pk: 'digits', type: 'x', subject: '', text: '', at: '', cause: null, by: null },
});
const grow = (world: Fakes, expected?: Stored<HeadDocument> | 'none') => {
  const grown = (h: HeadDocument = head()): HeadDocument => ({ ...h, generation: h.generation + 1 });
  return update(world.ports.documents, 'heads', 'digits', 'head', grown, expected);
};

describe('an update', () => {
  test('is lost by nobody, whoever interferes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.integer({ min: 1, max: 8 }), async (scheduler, writers) => {
        const world = createFakes();
        world.before = async (operation) => void (await scheduler.schedule(Promise.resolve(operation)));
        await scheduler.waitFor(Promise.all(Array.from({ length: writers }, () => grow(world))));
        world.before = () => undefined;
        expect((await world.read('heads', 'digits', 'head'))?.generation).toBe(writers);
      }),
      { numRuns: 100 },
    );
  });

  test('that keeps changes nothing and says so', async () => {
    const world = createFakes();
    const keep = await update(world.ports.documents, 'heads', 'digits', 'head', () => 'keep');
    expect(keep).toEqual({ stored: undefined, changed: false });
    await grow(world);
    expect(await update(world.ports.documents, 'heads', 'digits', 'head', () => 'keep')).toMatchObject({
      stored: { document: { generation: 1 } },
      changed: false,
    });
  });

  test('with an expectation spares the read, and one that is wrong costs a try and loses nothing', async () => {
    const world = createFakes();
    const reads: string[] = [];
    world.before = (operation, detail) => {
      if (operation === 'documents.read') reads.push(detail);
    };
    const first = await grow(world, 'none');
    const second = await grow(world, first.stored);
    expect({ reads, generation: second.stored?.document.generation }).toEqual({ reads: [], generation: 2 });
    for (const stale of ['none' as const, first.stored]) await grow(world, stale);
    expect(reads).toEqual(['heads', 'heads']);
    expect((await world.read('heads', 'digits', 'head'))?.generation).toBe(4);
  });

  test('that never gets its turn gives up and is tried again by whoever called', async () => {
    const world = createFakes();
    world.put('heads', head());
    let tries = 0;
    world.before = (operation) => {
      if (operation === 'documents.replace') world.put('heads', { ...head(), generation: ++tries });
    };
    await expect(grow(world)).rejects.toMatchObject({ name: 'RetryLater' });
    expect(tries).toBe(30);
  });
});

describe('an outbox', () => {
  test('is sent in order, by queue and time, told to the feed, and cleared', async () => {
    const world = createFakes();
    const soon = '2026-03-01T12:10:00.000Z';
    world.put('heads', head([queued(1), told(1), queued(2, soon), queued(3), told(2)]));
    const stored = await world.ports.documents.read('heads', 'digits', 'head');
    if (stored !== undefined) await sendOutbox(world.ports, 'heads', stored);
    expect(world.sent.map((s) => s.message.subject)).toEqual(['1', '3', '2']);
    expect(world.sent[2]?.dueAt).toBe(Date.parse(soon));
    expect(world.all('events').map((e) => e.id)).toEqual(['e1', 'e2']);
    expect(outboxOf((await world.read('heads', 'digits', 'head')) ?? {})).toEqual([]);
  });

  test('loses nothing wherever its sender dies and whoever changes the document meanwhile', async () => {
    for (let diesAt = 0; diesAt < 8; diesAt++) {
      const world = createFakes();
      world.put('heads', head([queued(1), told(1), queued(2, '2026-03-01T12:10:00.000Z')]));
      const send = async (): Promise<void> => {
        const stored = await world.ports.documents.read('heads', 'digits', 'head');
        if (stored !== undefined) await sendOutbox(world.ports, 'heads', stored);
      };
      const interfere = (): void =>
        world.put('heads', { ...head([queued(1), told(1), queued(2), queued(3)]), generation: 1 });
      let operations = 0;
      if (diesAt < 2) interfere();
      world.before = () => {
        if (operations === 2) interfere();
        if (operations++ === diesAt) throw new Error('died');
      };
      await send().catch(() => undefined);
      world.before = () => undefined;
      await send();
      expect(new Set(world.sent.map((s) => s.message.subject))).toEqual(new Set(['1', '2', '3']));
      expect(world.all('events')).toHaveLength(1);
      const after = await world.read('heads', 'digits', 'head');
      expect([after?.generation, outboxOf(after ?? {})]).toEqual([1, []]);
    }
  });
});
