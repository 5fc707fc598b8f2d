/** The AMQP 1.0 front of the broker, as the Service Bus SDKs speak it over plain TCP, or TLS where keys are switched off. */
import type { Server, Socket } from 'node:net';
import rhea from 'rhea';
import type { Keyless } from '../identity/keyless.ts';
import { type Claims, claims } from './claims.ts';
import { type Answer, manage, maxMessageBytes, serverBusy, tooLarge, trouble } from './management.ts';
import { encodeMessage, parseMessage } from './message.ts';
import { settleDelivery } from './outcome.ts';
import type { Consumer, Queue } from './queue.ts';
import {
  codec,
  type DeliveryHandle,
  type EventContext,
  keepMessageBytes,
  type Link,
  type ReceiverLink,
  type SenderLink,
  type Terminus,
  types,
} from './rhea-types.ts';

/** Several messages in one transfer (Service Bus batch message format). */
const batchFormat = 0x8001_3700;
const management = '/$management';

/** Of a namespace of the Basic tier. https://learn.microsoft.com/azure/service-bus-messaging/service-bus-quotas */
const basicConnections = 100;

type FindQueue = (name: string) => Queue | undefined;

/** What the broker remembers of rhea's links and deliveries. */
interface Memory {
  requests: WeakMap<object, string>;
  /** links that carry answers, by what requests are sent to and by where they are to be answered */
  answers: WeakMap<object, { address: string; replyTo: string }>;
  entities: WeakMap<object, Queue>;
  consumers: WeakMap<object, { queue: Queue; consumer: Consumer & { sent: number } }>;
  locks: WeakMap<object, { queue: Queue; key: string }>;
  claims: Claims;
  busy: () => boolean;
}

/** Listens on loopback; `close` drops every connection. The 101st connection is refused, as Basic does. */
export async function listenAmqp(
  port: number,
  host: string,
  find: FindQueue,
  credential: { key: string } | { keyless: Keyless },
  busy: () => boolean,
): Promise<{ port: number; connections(): number; close(): Promise<void> }> {
  const container = rhea.create_container({ id: 'local-service-bus' });
  offerMechanisms(container);
  const memory: Memory = {
    requests: new WeakMap(),
    answers: new WeakMap(),
    entities: new WeakMap(),
    consumers: new WeakMap(),
    locks: new WeakMap(),
    claims: claims(credential),
    busy,
  };
  const on = (event: string, handle: (context: EventContext) => void): void => {
    container.on(event, handle as never);
  };
  const connections = limitConnections(on);
  // to a connection without claims there are no queues
  const finder = (connection: object): FindQueue => (memory.claims.allows(connection) ? find : () => undefined);
  on('session_open', ({ session }) => keepMessageBytes(session, (link) => memory.requests.has(link)));
  on('receiver_open', ({ receiver, connection }) => openReceiver(memory, receiver, finder(connection)));
  on('sender_open', ({ sender, connection }) => openSender(memory, sender, finder(connection)));
  on('message', (context) => void onMessage(memory, context, finder(context.connection)));
  for (const outcome of ['accepted', 'rejected', 'released', 'modified']) {
    on(outcome, ({ delivery }) => void settleDelivery(outcome, delivery, memory.locks.get(delivery)));
  }
  onFlow(memory, on);
  for (const event of [
    'connection_error',
    'session_error',
    'sender_error',
    'receiver_error',
    'error',
    'protocol_error',
  ]) {
    on(event, () => {
      // a client that breaks off is no business of the broker's; its locks expire
    });
  }
  const server = container.listen({
    port,
    host,
    receiver_options: { autoaccept: false, credit_window: 500 },
    sender_options: { treat_modified_as_released: false },
    session_buffer_size: { incoming: 2048, outgoing: 8192 },
    idle_time_out: 120_000,
    ...('keyless' in credential ? { transport: 'tls', ...credential.keyless.tls } : {}),
  } as never) as unknown as Server;
  return { ...(await serve(server)), connections };
}

/** Closes connections beyond those of the tier as they open; returns how many there are. */
function limitConnections(on: (event: string, handle: (context: EventContext) => void) => void): () => number {
  const open = new Set<object>();
  on('connection_open', ({ connection }) => {
    if (open.size < basicConnections) {
      open.add(connection);
      return;
    }
    const description = 'ConnectionsQuotaExceeded for namespace localhost: the Basic tier takes 100 connections.';
    connection.close({ condition: 'amqp:resource-limit-exceeded', description });
  });
  for (const event of ['connection_close', 'disconnected']) on(event, ({ connection }) => open.delete(connection));
  return () => open.size;
}

/** SASL lets everybody in, claims on `$cbs` decide: JavaScript and Python ask for ANONYMOUS, .NET and Java for MSSBCBS. */
function offerMechanisms(container: object): void {
  const { sasl_server_mechanisms: mechanisms } = container as { sasl_server_mechanisms: Record<string, () => object> };
  const open = () => ({
    outcome: undefined as boolean | undefined,
    start() {
      this.outcome = true;
    },
  });
  for (const name of ['ANONYMOUS', 'MSSBCBS']) mechanisms[name] = open;
}

function onFlow(memory: Memory, on: (event: string, handle: (context: EventContext) => void) => void): void {
  const kick = (sender: SenderLink): void => memory.consumers.get(sender)?.queue.kick();
  on('sender_flow', ({ sender }) => {
    kick(sender);
    // echoing the flow carries the TCP acknowledgement: without it Nagle and delayed ACK add 40 ms on the client
    if (!(sender as unknown as { _draining?: boolean })._draining) sender.issue_flow = true;
  });
  on('sendable', ({ sender }) => kick(sender));
  on('sender_draining', ({ sender }) => {
    const known = memory.consumers.get(sender);
    if (known === undefined) return;
    known.queue.dispatch();
    known.consumer.sent = sender.delivery_count + sender.credit;
    sender.set_drained(true);
  });
  const detach = (sender: SenderLink): void => {
    const known = memory.consumers.get(sender);
    known?.queue.consumers.delete(known.consumer);
  };
  const drop = ({ connection }: EventContext): void => {
    for (const channel of Object.values(connection.local_channel_map ?? {})) channel.each_sender(detach);
  };
  on('connection_close', drop);
  on('disconnected', drop);
  on('session_close', ({ session }) =>
    (session as { each_sender(visit: (s: SenderLink) => void): void }).each_sender(detach),
  );
  on('sender_close', ({ sender }) => detach(sender));
}

function serve(server: Server): Promise<{ port: number; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    socket.setNoDelay(true);
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.on('listening', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      const close = (): Promise<void> =>
        new Promise((done) => {
          for (const socket of sockets) socket.destroy();
          server.close(() => done());
        });
      resolve({ port, close });
    });
  });
}

/** .NET names a queue by its path, `/queue`; Python by a URL, `amqps://host/queue`. */
const addressOf = (terminus: Terminus | undefined): string =>
  (terminus?.address ?? '').replace(/^[a-z]+:\/\/[^/]*/, '').replace(/^\//, '');

/** Says both ends of a link as the client named them: Python takes an answer without one of them for a refusal. */
function nameEnds(link: Link): void {
  link.set_source({ address: link.source?.address ?? '' });
  link.set_target({ address: link.target?.address ?? '' });
}

const isRequestAddress = (address: string): boolean => address === '$cbs' || address.endsWith(management);

function refuse(link: Link, condition: string, description: string): void {
  // no terminus at all, which an empty one is not, tells clients to wait for the reason (AMQP 1.0, 2.6.3)
  link.local.attach[link.is_sender() ? 'source' : 'target'] = undefined;
  link.close({ condition, description });
}

const notFound = (link: Link, address: string): void =>
  refuse(link, 'amqp:not-found', `The messaging entity '${address}' could not be found.`);

function openReceiver(memory: Memory, link: ReceiverLink, find: FindQueue): void {
  const address = addressOf(link.target);
  nameEnds(link);
  link.local.attach['max_message_size'] = maxMessageBytes;
  if (isRequestAddress(address)) {
    memory.requests.set(link, address);
    return;
  }
  const queue = find(address);
  if (queue === undefined) notFound(link, address);
  else memory.entities.set(link, queue);
}

function openSender(memory: Memory, link: SenderLink, find: FindQueue): void {
  const address = addressOf(link.source);
  nameEnds(link);
  link.local.attach['snd_settle_mode'] = link.remote.attach.snd_settle_mode;
  link.local.attach['rcv_settle_mode'] = link.remote.attach.rcv_settle_mode;
  if (isRequestAddress(address)) {
    memory.answers.set(link, { address, replyTo: link.target?.address ?? link.name });
    return;
  }
  const queue = find(address);
  if (queue === undefined) return notFound(link, address);
  if ('com.microsoft:session-filter' in (link.source?.filter ?? {})) {
    return refuse(link, 'amqp:not-allowed', 'The Basic tier has no sessions: receive without a session.');
  }
  const consumer: Consumer & { sent: number } = {
    sent: 0,
    receiveAndDelete: link.remote.attach.snd_settle_mode === 1,
    ready: () =>
      link.is_open() && consumer.sent < link.delivery_count + link.credit && link.session.outgoing.available() > 0,
    send: (message, tag, lockedUntil) => {
      consumer.sent++;
      const delivery = link.send(encodeMessage(message, lockedUntil), tag, 0);
      if (lockedUntil !== undefined) memory.locks.set(delivery, { queue, key: tag.toString('hex') });
    },
  };
  memory.consumers.set(link, { queue, consumer });
  queue.consumers.add(consumer);
}

/** Refuses one message. Python reads the third field of an error, so it is there though it is empty. */
function reject(
  delivery: DeliveryHandle,
  { condition, description }: { condition: string; description: string },
): void {
  delivery.reject({ condition, description, info: {} });
}

async function onMessage(memory: Memory, context: EventContext, find: FindQueue): Promise<void> {
  const { receiver, delivery, message } = context;
  const request = memory.requests.get(receiver);
  if (request !== undefined) {
    delivery.accept();
    return onRequest(memory, context, request, find);
  }
  const queue = memory.entities.get(receiver);
  if (queue === undefined || !Buffer.isBuffer(message)) {
    reject(delivery, { condition: 'amqp:not-found', description: 'no queue is behind this link' });
    return;
  }
  if (memory.busy()) {
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
  memory: Memory,
  { connection, receiver, message }: EventContext,
  address: string,
  find: FindQueue,
): Promise<void> {
  const request = Buffer.isBuffer(message) ? codec.decode(message) : (message as ReturnType<typeof codec.decode>);
  let reply: SenderLink | undefined;
  receiver.session.each_sender((sender) => {
    const ends = memory.answers.get(sender);
    // a request for claims may name no address for its answer (Python)
    if (request.reply_to == null ? ends?.address === address : ends?.replyTo === request.reply_to) reply = sender;
  });
  const answer = address === '$cbs' ? memory.claims.put(connection, request) : await answerTo(address, request, find);
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
