/** Links of AMQP: opening one to a queue, its credit, its end. */
import type { Claims } from './claims.ts';
import { maxMessageBytes } from './management.ts';
import { encodeMessage } from './message.ts';
import type { Consumer, Queue } from './queue.ts';
import type { EventContext, Link, ReceiverLink, SenderLink, Terminus } from './rhea-types.ts';

/** The name of a queue, before it: where its operations are asked for. */
export const management = '/$management';

/** The queue that a client means; undefined: there is none, or it may not know. */
export type FindQueue = (name: string) => Queue | undefined;

/** What the broker knows of rhea's links and of deliveries on them. */
export interface Links {
  requests: WeakMap<object, string>;
  /** links that carry answers, by what requests are sent to and by where they are to be answered */
  answers: WeakMap<object, { address: string; replyTo: string }>;
  entities: WeakMap<object, Queue>;
  consumers: WeakMap<object, { queue: Queue; consumer: Consumer & { sent: number } }>;
  locks: WeakMap<object, { queue: Queue; key: string }>;
  claims: Claims;
  busy: () => boolean;
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

/** A client sends: to a queue, or requests. */
export function openReceiver(links: Links, link: ReceiverLink, find: FindQueue): void {
  const address = addressOf(link.target);
  nameEnds(link);
  link.local.attach['max_message_size'] = maxMessageBytes;
  if (isRequestAddress(address)) {
    links.requests.set(link, address);
    return;
  }
  const queue = find(address);
  if (queue === undefined) notFound(link, address);
  else links.entities.set(link, queue);
}

/** A client receives: of a queue, or answers to its requests. */
export function openSender(links: Links, link: SenderLink, find: FindQueue): void {
  const address = addressOf(link.source);
  nameEnds(link);
  link.local.attach['snd_settle_mode'] = link.remote.attach.snd_settle_mode;
  link.local.attach['rcv_settle_mode'] = link.remote.attach.rcv_settle_mode;
  if (isRequestAddress(address)) {
    links.answers.set(link, { address, replyTo: link.target?.address ?? link.name });
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
      if (lockedUntil !== undefined) links.locks.set(delivery, { queue, key: tag.toString('hex') });
    },
  };
  links.consumers.set(link, { queue, consumer });
  queue.consumers.add(consumer);
}

/** Hands out messages where there is credit, and stops where a link ends. */
export function onFlow(links: Links, on: (event: string, handle: (context: EventContext) => void) => void): void {
  const kick = (sender: SenderLink): void => links.consumers.get(sender)?.queue.kick();
  on('sender_flow', ({ sender }) => {
    kick(sender);
    // echoing the flow carries the TCP acknowledgement: without it Nagle and delayed ACK add 40 ms on the client
    if (!(sender as unknown as { _draining?: boolean })._draining) sender.issue_flow = true;
  });
  on('sendable', ({ sender }) => kick(sender));
  on('sender_draining', ({ sender }) => {
    const known = links.consumers.get(sender);
    if (known === undefined) return;
    known.queue.dispatch();
    known.consumer.sent = sender.delivery_count + sender.credit;
    sender.set_drained(true);
  });
  const detach = (sender: SenderLink): void => {
    const known = links.consumers.get(sender);
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
