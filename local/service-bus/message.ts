/**
 * AMQP messages as the broker keeps them. The bare message (properties, application properties, body) stays
 * byte-exact: decoding and encoding again would lose AMQP types. Header and annotations are the broker's own.
 */
import { randomBytes } from 'node:crypto';
import rhea from 'rhea';

const section = {
  header: 0x70,
  annotations: 0x72,
  deliveryAnnotations: 0x71,
  properties: 0x73,
  applicationProperties: 0x74,
};

/** What rhea's codec offers beyond its typings. */
interface Typed {
  value: unknown;
  descriptor: { value: unknown };
}
interface Codec {
  Reader: new (bytes: Buffer) => { remaining(): number; read(): Typed; position: number };
  Writer: new () => { write(value: unknown): void; toBuffer(): Buffer };
  unwrap(value: unknown): unknown;
  unwrap_map_simple(value: unknown): Record<string, unknown>;
  described_nc(descriptor: unknown, value: unknown): unknown;
  wrap(value: unknown): unknown;
  wrap_ulong(value: number): unknown;
  wrap_long(value: number): unknown;
  wrap_int(value: number): unknown;
  wrap_timestamp(value: number): unknown;
  wrap_string(value: string): { value: string };
  wrap_symbolic_map(value: Record<string, unknown>): unknown;
  Map32: new (items: unknown[]) => unknown;
  List32: new (items: unknown[]) => unknown;
}
const codec = rhea.types as unknown as Codec;
const messages = rhea.message as unknown as { header(fields: object): { described(): unknown } };

/** A stretch of the bare message, with its decoded items when it is there. */
interface Stretch {
  start: number;
  end: number;
  items: unknown[];
}

export interface BusMessage {
  sequence: number;
  /** sequence number before a scheduled message came due or a message was dead-lettered */
  enqueuedSequence: number;
  bare: Buffer;
  applicationProperties: Stretch;
  messageId: string;
  header: { durable?: boolean; priority?: number; ttl?: number };
  annotations: Record<string, string | number | boolean>;
  deliveryCount: number;
  enqueuedAt: number;
  /** for scheduled messages: when they become available */
  dueAt: number | null;
  deadLetterSource: string | null;
}

const encode = (...values: unknown[]): Buffer => {
  const writer = new codec.Writer();
  for (const value of values) writer.write(value);
  return writer.toBuffer();
};

const scalar = (value: unknown): value is string | number | boolean =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';

/** Reads an encoded message; Azure assigns a message id when the sender left it out, so this does too. */
export function parseMessage(bytes: Buffer): BusMessage {
  const reader = new codec.Reader(bytes);
  const header: BusMessage['header'] = {};
  const annotations: BusMessage['annotations'] = {};
  let bareStart = -1;
  let properties: Stretch | undefined;
  let applicationProperties: Stretch | undefined;
  let bodyStart: number | undefined;
  while (reader.remaining() > 0 && bodyStart === undefined) {
    const start = reader.position;
    const part = reader.read();
    const code = Number(part.descriptor.value);
    if (code === section.header) {
      const [durable, priority, ttl] = (part.value as unknown[]).map((v) => codec.unwrap(v));
      if (typeof durable === 'boolean') header.durable = durable;
      if (typeof priority === 'number') header.priority = priority;
      if (typeof ttl === 'number') header.ttl = ttl;
    } else if (code === section.annotations) {
      for (const [key, value] of Object.entries(codec.unwrap_map_simple(part))) {
        const plain = value instanceof Date ? value.getTime() : value;
        if (scalar(plain)) annotations[key] = plain;
      }
    } else if (code !== section.deliveryAnnotations) {
      if (bareStart < 0) bareStart = start;
      const stretch = { start: start - bareStart, end: reader.position - bareStart, items: part.value as unknown[] };
      if (code === section.properties) properties = stretch;
      else if (code === section.applicationProperties) applicationProperties = stretch;
      else bodyStart = start - bareStart;
    }
  }
  let bare = bareStart < 0 ? Buffer.alloc(0) : Buffer.from(bytes.subarray(bareStart));
  const at = bodyStart ?? bare.length;
  applicationProperties ??= { start: at, end: at, items: [] };
  let messageId = codec.unwrap(properties?.items[0]) as string | undefined;
  if (messageId === undefined || messageId === null) {
    messageId = randomBytes(16).toString('hex');
    const old = properties ?? { start: 0, end: 0, items: [] };
    const items = [codec.wrap_string(messageId), ...old.items.slice(1)];
    const encoded = encode(codec.described_nc(codec.wrap_ulong(section.properties), new codec.List32(items)));
    const grown = encoded.length - (old.end - old.start);
    bare = Buffer.concat([bare.subarray(0, old.start), encoded, bare.subarray(old.end)]);
    applicationProperties.start += grown;
    applicationProperties.end += grown;
  }
  const scheduled = annotations['x-opt-scheduled-enqueue-time'];
  return {
    sequence: 0,
    enqueuedSequence: 0,
    bare,
    applicationProperties,
    messageId,
    header,
    annotations,
    deliveryCount: 0,
    enqueuedAt: 0,
    dueAt: typeof scheduled === 'number' ? scheduled : null,
    deadLetterSource: null,
  };
}

/** The message with application properties added or replaced; all other bytes stay. */
export function withApplicationProperties(message: BusMessage, extra: Record<string, unknown>): BusMessage {
  const { start, end, items: old } = message.applicationProperties;
  const items = [...old];
  for (const [key, value] of Object.entries(extra)) {
    if (value === undefined || value === null) continue;
    for (let i = 0; i < items.length; i += 2) {
      if ((items[i] as { value?: unknown }).value === key) {
        items.splice(i, 2);
        break;
      }
    }
    items.push(codec.wrap_string(key), codec.wrap(value));
  }
  const encoded = encode(codec.described_nc(codec.wrap_ulong(section.applicationProperties), new codec.Map32(items)));
  const bare = Buffer.concat([message.bare.subarray(0, start), encoded, message.bare.subarray(end)]);
  return { ...message, bare, applicationProperties: { start, end: start + encoded.length, items } };
}

/** The bytes a receiver gets: our header and annotations before the untouched bare message. */
export function encodeMessage(message: BusMessage, lockedUntil?: number): Buffer {
  const annotations: Record<string, unknown> = {
    ...message.annotations,
    'x-opt-sequence-number': codec.wrap_long(message.sequence),
    'x-opt-enqueue-sequence-number': codec.wrap_long(message.enqueuedSequence || message.sequence),
    'x-opt-enqueued-time': codec.wrap_timestamp(message.enqueuedAt),
    'x-opt-message-state': codec.wrap_int(message.dueAt === null ? 0 : 2),
  };
  delete annotations['x-opt-scheduled-enqueue-time'];
  if (message.dueAt !== null) annotations['x-opt-scheduled-enqueue-time'] = codec.wrap_timestamp(message.dueAt);
  if (message.deadLetterSource !== null) annotations['x-opt-deadletter-source'] = message.deadLetterSource;
  if (lockedUntil !== undefined) annotations['x-opt-locked-until'] = codec.wrap_timestamp(lockedUntil);
  const header = messages.header({
    durable: message.header.durable ?? true,
    priority: message.header.priority ?? 4,
    ttl: message.header.ttl,
    delivery_count: message.deliveryCount,
  });
  const described = codec.described_nc(codec.wrap_ulong(section.annotations), codec.wrap_symbolic_map(annotations));
  return Buffer.concat([encode(header.described(), described), message.bare]);
}
