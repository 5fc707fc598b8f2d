/** What clients send: messages for a queue, and requests for claims or of management. */
import { type Answer, manage, maxMessageBytes, serverBusy, tooLarge, trouble } from './management.ts';
import { type FindQueue, type Links, management } from './links.ts';
import { parseMessage } from './message.ts';
import { codec, type DeliveryHandle, type EventContext, type SenderLink, types } from './rhea-types.ts';

/** Several messages in one transfer (Service Bus batch message format). */
const batchFormat = 0x8001_3700;

/** Refuses one message. Python reads the third field of an error, so it is there though it is empty. */
function reject(
  delivery: DeliveryHandle,
  { condition, description }: { condition: string; description: string },
): void {
  delivery.reject({ condition, description, info: {} });
}

/** Takes in what a transfer has, and answers a request. */
export async function onMessage(links: Links, context: EventContext, find: FindQueue): Promise<void> {
  const { receiver, delivery, message } = context;
  const request = links.requests.get(receiver);
  if (request !== undefined) {
    delivery.accept();
    return onRequest(links, context, request, find);
  }
  const queue = links.entities.get(receiver);
  if (queue === undefined || !Buffer.isBuffer(message)) {
    reject(delivery, { condition: 'amqp:not-found', description: 'no queue is behind this link' });
    return;
  }
  if (links.busy()) {
    const description = 'The request was terminated because the namespace is being throttled. Error code: 50009.';
    reject(delivery, { condition: serverBusy, description });
    return;
  }
  try {
    const parts = context.format === batchFormat ? batchParts(message) : [message];
    if (parts.reduce((sum, part) => sum + part.length, 0) > maxMessageBytes) {
      reject(delivery, tooLarge);
      return;
    }
    // accepted only when on disk: whatever the sender was told is kept
    await Promise.all(parts.map((part) => queue.enqueue(parseMessage(part))));
    delivery.accept();
  } catch (error) {
    reject(delivery, trouble(error));
  }
}

function batchParts(message: Buffer): Buffer[] {
  const body = codec.decode(message).body as { multiple?: boolean; content: Buffer | Buffer[] };
  return body.multiple ? (body.content as Buffer[]) : [body.content as Buffer];
}

async function onRequest(
  links: Links,
  { connection, receiver, message }: EventContext,
  address: string,
  find: FindQueue,
): Promise<void> {
  const request = Buffer.isBuffer(message) ? codec.decode(message) : (message as ReturnType<typeof codec.decode>);
  let reply: SenderLink | undefined;
  receiver.session.each_sender((sender) => {
    const ends = links.answers.get(sender);
    // a request for claims may name no address for its answer (Python)
    if (request.reply_to == null ? ends?.address === address : ends?.replyTo === request.reply_to) reply = sender;
  });
  const answer = address === '$cbs' ? links.claims.put(connection, request) : await answerTo(address, request, find);
  const { status, body, condition, description } = answer;
  const code = types.wrap_int(status);
  const symbol = condition === undefined ? undefined : types.wrap_symbol(condition);
  const failed = symbol === undefined ? {} : { errorCondition: symbol, 'error-condition': symbol };
  const described = { statusDescription: description ?? 'OK' };
  const properties = { statusCode: code, 'status-code': code, ...described, ...failed };
  reply?.send({ correlation_id: request.message_id, application_properties: properties, body: body ?? null });
}

async function answerTo(address: string, request: ReturnType<typeof codec.decode>, find: FindQueue): Promise<Answer> {
  const queue = find(address.slice(0, -management.length));
  if (queue === undefined)
    return { status: 404, condition: 'amqp:not-found', description: `There is no queue behind ${address}.` };
  try {
    const operation = request.application_properties?.['operation'];
    return await manage(queue, typeof operation === 'string' ? operation : '', request.body);
  } catch (error) {
    const { condition, description } = trouble(error);
    return { status: condition === serverBusy ? 503 : 500, condition, description };
  }
}
