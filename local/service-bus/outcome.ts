/** What a receiver decides about a message that it was given: done, back, or dead. */
import { lockLost, trouble } from './management.ts';
import type { Lock, Queue } from './queue.ts';
import { codec, type DeliveryHandle } from './rhea-types.ts';

/** Carries out the outcome of a delivery and settles it; whatever a client sends, the broker lives on. */
export async function settleDelivery(
  outcome: string,
  delivery: DeliveryHandle,
  known: { queue: Queue; key: string } | undefined,
): Promise<void> {
  const lock = known?.queue.lock(known.key);
  let state: unknown;
  try {
    state = known === undefined ? undefined : await settle(outcome, delivery, known.queue, lock);
  } catch (error) {
    state = codec.rejected({ error: trouble(error) }).described();
  }
  delivery.update(true, state);
  // in settle mode "second" the client never settles back: without this rhea's outgoing buffer leaks
  delivery.remote_settled = true;
}

async function settle(
  outcome: string,
  delivery: DeliveryHandle,
  queue: Queue,
  lock: Lock | undefined,
): Promise<unknown> {
  if (lock === undefined) return codec.rejected({ error: lockLost }).described();
  const state = delivery.remote_state ?? {};
  if (outcome === 'accepted') {
    await queue.complete(lock);
    return codec.accepted().described();
  }
  if (outcome === 'rejected') {
    await queue.deadLetter(lock, state.error?.info ?? {});
    return codec.rejected().described();
  }
  if (outcome === 'released') {
    queue.release(lock);
    return codec.released().described();
  }
  if (state.undeliverable_here) {
    const error = { condition: 'amqp:not-implemented', description: 'deferral is not there' };
    return codec.rejected({ error }).described();
  }
  // an absent map is null to some clients
  await queue.abandon(lock, state.message_annotations ?? undefined);
  return codec.modified({}).described();
}
