import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { asRead } from '../../../functions/http/unread.ts';
import { createBudget } from '../../../shared/budget.ts';

/** A connection that takes what was written when it is let. */
class Connection extends EventEmitter {
  writableNeedDrain = false;
  destroyed = false;
  destroy(): this {
    this.destroyed = true;
    this.emit('close');
    return this;
  }
  write(): void {
    this.writableNeedDrain = true;
  }
  take(): void {
    this.writableNeedDrain = false;
    this.emit('drain');
  }
}

/** Writes an answer of so many chunks, as the library does: without waiting for the reader. */
function answer(connection: Connection, chunks: number, { pace = {}, slow = createBudget(1).share() } = {}) {
  const made = { count: 0, isEnded: false };
  async function* source(): AsyncGenerator<number> {
    try {
      for (; made.count < chunks; made.count++) yield made.count;
    } finally {
      made.isEnded = true;
    }
  }
  const paces = { slowAfterMs: 10_000, windowMs: 10_000, limitMs: 10_000, ...pace };
  const written = (async () => {
    for await (const _ of asRead(source(), connection as never, slow, paces)) connection.write();
  })();
  return { made, written };
}

test('an answer is made as fast as it is read', async () => {
  const connection = new Connection();
  const { made, written } = answer(connection, 5);
  for (let taken = 0; taken < 5; taken++) {
    await sleep(5);
    expect(made.count).toBe(taken);
    connection.take();
  }
  await written;
  expect([made.count, made.isEnded, connection.destroyed]).toEqual([5, true, false]);
  expect(connection.eventNames()).toEqual([]);
});

test.for([
  ['whose reader takes nothing', { windowMs: 30 }],
  ['that takes too long', { limitMs: 30 }],
] as const)('an answer %s is cut, and its source ended', async ([, pace]) => {
  const connection = new Connection();
  const { made, written } = answer(connection, 5, { pace });
  await written;
  expect([made.count, made.isEnded, connection.destroyed]).toEqual([1, true, true]);
});

test('an answer that nobody can read any more is not made', async () => {
  const connection = new Connection();
  const { made, written } = answer(connection, 5);
  await sleep(5);
  connection.destroy();
  await written;
  expect([made.count, made.isEnded]).toEqual([1, true]);
});

test('of the slow answers of one key only so many go on; when one is through another may be slow', async () => {
  const budget = createBudget(10, { perOwner: 1 });
  const connections = [new Connection(), new Connection(), new Connection()];
  const pace = { slowAfterMs: 20 };
  const [first, second] = connections.slice(0, 2).map((one) => answer(one, 2, { pace, slow: budget.share('k') }));
  await second?.written;
  expect(connections.map(({ destroyed }) => destroyed)).toEqual([false, true, false]);
  connections[0]?.take();
  await sleep(1);
  connections[0]?.take();
  await first?.written;
  const third = answer(connections[2] as Connection, 1, { pace, slow: budget.share('k') });
  await sleep(40);
  connections[2]?.take();
  await third.written;
  expect(connections[2]?.destroyed).toBe(false);
});
