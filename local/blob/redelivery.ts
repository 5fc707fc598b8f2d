/** Sends what the outbox holds until its queue takes it. */
import type { BlobCreated, BlobWrite, WrittenBlob } from './event.ts';
import type { Outbox, Undelivered } from './outbox.ts';

const pauseMs = 1_000;
/** events sent again per round */
const batch = 100;

interface Redelivery {
  /** Adds what could not be delivered now, or whose outcome nobody knows. */
  add(item: Undelivered): void;
  /** Begins with what a former process left; rounds follow each other with a pause of one second. */
  start(): void;
  /** Ends after the round under way. */
  stop(): Promise<void>;
}

interface Steps {
  /** The blob as it is now; undefined when there is none. */
  lookUp: (write: BlobWrite) => Promise<WrittenBlob | undefined>;
  compose: (write: BlobWrite, blob: WrittenBlob) => BlobCreated;
  deliver: (row: number, queue: string, event: BlobCreated) => Promise<void>;
}

/**
 * A write whose outcome is unknown is looked up: if its blob is there, an event is sent for it (perhaps the second one
 * for an older write of the same blob: events come at least once), otherwise it is forgotten.
 */
export function redelivery(outbox: Outbox, steps: Steps): Redelivery {
  let waiting: Undelivered[] = outbox.left();
  let round: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const sendOne = async ({ row, queue, write, event }: Undelivered): Promise<void> => {
    if (event !== undefined) return steps.deliver(row, queue, event);
    const blob = await steps.lookUp(write);
    if (blob === undefined) outbox.remove(row);
    else await steps.deliver(row, queue, steps.compose(write, blob));
  };

  const sendBatch = async () => {
    const tried = waiting.splice(0, batch);
    const failed: Undelivered[] = [];
    for (const item of tried) {
      // after one failure the queue is taken to be away until the next round
      const sent =
        failed.length === 0 &&
        (await sendOne(item).then(
          () => true,
          () => false,
        ));
      if (!sent) failed.push(item);
    }
    waiting.push(...failed);
  };

  const next = () => {
    round = sendBatch().finally(() => {
      if (!stopped) timer = setTimeout(next, pauseMs);
    });
  };
  return {
    add: (item) => void waiting.push(item),
    start: next,
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await round;
    },
  };
}
