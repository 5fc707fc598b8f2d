/**
 * Storage events that Event Grid gave up on. It leaves them in `undelivered`, one blob of one or more CloudEvents in an
 * array (https://learn.microsoft.com/azure/event-grid/manage-event-delivery), among them every event that met a queue
 * while its role was not in force yet: those are not even tried twice. Here they go to their queue at last.
 */
import { blobCreatedEvent, type BlobCreatedEvent } from './message.ts';
import type { Ports } from '../ports.ts';
import { blobContainers, type QueueName } from '../resources.ts';
import { blobOf } from '../upload/name.ts';
import { recordDeadLetter } from './record-dead-letter.ts';

type UndeliveredPorts = Pick<Ports, 'blobs' | 'clock' | 'documents' | 'messages'>;

/** one sweep's worth; the next sweep goes on */
const maxBlobs = 200;
/** Event Grid's largest batch is 1 MB */
const maxBlobBytes = 4 * 1024 * 1024;
/** queue under which a person finds what belongs to none */
const unknownQueue: QueueName = 'blob-created';

/**
 * Sends undelivered events to their queues and deletes their blobs; what is no event of ours becomes a dead letter.
 * A crash in between sends events twice, which is harmless. Returns how many were sent; throws when a service fails.
 */
export async function resendUndelivered(ports: UndeliveredPorts): Promise<number> {
  let sent = 0;
  for (const name of await ports.blobs.list('undelivered', '', maxBlobs)) {
    const blob = await ports.blobs.get('undelivered', name, { maxBytes: maxBlobBytes });
    if (blob === undefined) continue;
    const body = blob === 'too-large' ? undefined : blob.body.toString('utf8');
    sent += await resend(ports, name, body);
    await ports.blobs.remove('undelivered', name);
  }
  return sent;
}

async function resend(ports: UndeliveredPorts, name: string, body: string | undefined): Promise<number> {
  const giveUp = async (what: unknown, queue: QueueName, why: string): Promise<void> => {
    const detail = `${why}. It was in the blob ${name.slice(0, 300)} of the container "undelivered".`;
    await recordDeadLetter(ports, queue, { body: what, reason: 'undeliverable-event', detail });
  };
  const events = body === undefined ? undefined : parseArray(body);
  if (events === undefined) {
    await giveUp(body ?? '', unknownQueue, `It is not an array of events of at most ${maxBlobBytes} bytes`);
    return 0;
  }
  let sent = 0;
  for (const event of events) {
    const parsed = blobCreatedEvent.safeParse(event);
    const queue = parsed.success ? queueOf(parsed.data) : undefined;
    if (parsed.success && queue !== undefined) {
      await ports.messages.send(queue, [parsed.data]);
      sent++;
    } else {
      const issue = parsed.error?.issues[0];
      const why =
        issue === undefined ? 'No queue takes events of its container' : `${issue.path.join('.')}: ${issue.message}`;
      await giveUp(event, queue ?? unknownQueue, why);
    }
  }
  return sent;
}

function parseArray(text: string): unknown[] | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** The queue that takes events of the blob's container. */
function queueOf(event: BlobCreatedEvent): QueueName | undefined {
  const container = blobOf(event.subject)?.container;
  return Object.entries(blobContainers).find(([name]) => name === container)?.[1].events ?? undefined;
}
