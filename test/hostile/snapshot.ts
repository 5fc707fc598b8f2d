/** Everything that a platform stores, to be compared with what it stored before; and whether it has work left. */
import { ServiceBusClient } from '@azure/service-bus';
import type { Ports } from '../../shared/ports.ts';
import {
  type BlobContainer,
  blobContainers,
  type DocumentContainer,
  documentContainers,
  queueNames,
} from '../../shared/resources.ts';

const maxBlobs = 100_000;
const maxPeeked = 1000;

/** Documents with their etags, and names of blobs. */
export async function snapshot({ documents, blobs }: Ports): Promise<string[]> {
  const found: string[] = [];
  for (const container of Object.keys(documentContainers) as DocumentContainer[]) {
    let continuation: string | undefined;
    do {
      const options = { limit: 1000, ...(continuation === undefined ? {} : { continuation }) };
      const page = await documents.query(container, options);
      for (const { document, etag } of page.items) found.push(`${container}/${document.pk}/${document.id} ${etag}`);
      continuation = page.continuation;
    } while (continuation !== undefined);
  }
  for (const container of Object.keys(blobContainers) as BlobContainer[])
    for (const name of await blobs.list(container, '', maxBlobs)) found.push(`blob ${container}/${name}`);
  return found.sort();
}

/** Messages that wait in a queue now, scheduled ones not counted, and dead letters that nobody has read. */
export async function waitingMessages(connectionString: string): Promise<Map<string, number>> {
  const bus = new ServiceBusClient(connectionString);
  const waiting = new Map<string, number>();
  try {
    for (const queue of queueNames)
      for (const subQueueType of [undefined, 'deadLetter'] as const) {
        const receiver = bus.createReceiver(queue, subQueueType === undefined ? {} : { subQueueType });
        const messages = await receiver.peekMessages(maxPeeked);
        const count = messages.filter(({ state }) => state !== 'scheduled').length;
        if (count > 0) waiting.set(`${queue}${subQueueType === undefined ? '' : '/$deadletterqueue'}`, count);
        await receiver.close();
      }
  } finally {
    await bus.close();
  }
  return waiting;
}
