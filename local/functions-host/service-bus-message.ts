/**
 * Turns a received message into what the real host sends its Node worker (ServiceBusTriggerBindingStrategy.cs,
 * Utility.ApplyBindingData in the Functions host). Much of it surprises, and all of it happens in Azure.
 */
import type { ServiceBusReceivedMessage } from '@azure/service-bus';
import type { TypedData } from './protocol.ts';

/** no expiry: .NET's DateTime.MaxValue */
const never = '9999-12-31T23:59:59.9999999';

/** .NET writes a DateTime of unspecified kind without zone and without trailing zeros. */
function dateTime(date: Date | undefined): string {
  if (!date || date.getTime() >= Date.UTC(9999, 11, 31)) return never;
  return date
    .toISOString()
    .slice(0, -1)
    .replace(/\.(\d*?)0+$/, (_, digits: string) => (digits ? `.${digits}` : ''));
}

const json = (value: unknown): TypedData => ({
  json: JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? Number(inner) : inner)),
});

function messageText(body: unknown): string {
  if (typeof body === 'string') return body;
  return body instanceof Uint8Array ? Buffer.from(body).toString('utf8') : (JSON.stringify(body) ?? '');
}

const isoDate = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?$/;

/** A scalar of the body as Json.NET's `(string)token` gives it: True, and dates as MM/dd/yyyy HH:mm:ss. */
function scalarText(value: string | number | boolean): string {
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value !== 'string' || !isoDate.test(value)) return String(value);
  const date = new Date(/Z|[+-]\d\d:\d\d$/.test(value) ? value : `${value}Z`);
  if (Number.isNaN(date.getTime())) return value;
  const [year, month, day] = date.toISOString().slice(0, 10).split('-');
  return `${month}/${day}/${year} ${date.toISOString().slice(11, 19)}`;
}

/** Json.NET's default, beyond which it reads nothing */
const maxDepth = 64;

/** Whether JSON is nested deeper than Json.NET reads. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[{\]}]/gs)) {
    if (token === '[' || token === '{') depth += 1;
    else if (token === ']' || token === '}') depth -= 1;
    if (depth > maxDepth) return true;
  }
  return false;
}

/**
 * Copies the top-level properties of a JSON object into the metadata, over what the broker said; arrays and nulls stay out.
 * What cannot be read is no error: the message is delivered without them.
 */
function applyBody(text: string, metadata: Map<string, TypedData>): void {
  if (isTooDeep(text)) return;
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return;
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return;
  const known = new Map([...metadata.keys()].map((key) => [key.toLowerCase(), key]));
  for (const [name, value] of Object.entries(body as Record<string, unknown>)) {
    if (value === null || Array.isArray(value)) continue;
    // The host's dictionary ignores case and keeps the first spelling.
    const key = known.get(name.toLowerCase()) ?? name;
    known.set(name.toLowerCase(), key);
    metadata.set(
      key,
      typeof value === 'object' ? json(value) : { string: scalarText(value as string | number | boolean) },
    );
  }
}

/**
 * The input and `triggerMetadata` of a message. Receive it with `skipParsingBodyAsJson`, so that the body is still bytes.
 * `deliveryCount` counts from 1, as .NET reports it (the JavaScript SDK counts from 0).
 */
export function fromMessage(
  message: ServiceBusReceivedMessage,
  dataType: 'string' | 'binary' | 'stream' | undefined,
): { data: TypedData; triggerMetadata: Record<string, TypedData> } {
  const metadata = new Map<string, TypedData>();
  const addText = (name: string, value: unknown) => {
    if (value !== undefined && value !== null) metadata.set(name, { string: messageText(value) });
  };
  metadata.set('DeliveryCount', json((message.deliveryCount ?? 0) + 1));
  addText('DeadLetterSource', message.deadLetterSource);
  addText('LockToken', message.lockToken);
  const expires = dateTime(message.expiresAtUtc);
  const enqueued = dateTime(message.enqueuedTimeUtc ?? new Date(0));
  metadata.set('ExpiresAtUtc', json(expires));
  metadata.set('ExpiresAt', json(`${expires}+00:00`));
  metadata.set('EnqueuedTimeUtc', json(enqueued));
  metadata.set('EnqueuedTime', json(`${enqueued}+00:00`));
  addText('MessageId', message.messageId);
  addText('ContentType', message.contentType);
  addText('ReplyTo', message.replyTo);
  metadata.set('SequenceNumber', json(Number(message.sequenceNumber ?? 0)));
  addText('To', message.to);
  addText('Subject', message.subject);
  addText('Label', message.subject);
  addText('CorrelationId', message.correlationId);
  metadata.set('ApplicationProperties', json(message.applicationProperties ?? {}));
  metadata.set('UserProperties', json(message.applicationProperties ?? {}));
  addText('SessionId', message.sessionId);
  addText('ReplyToSessionId', message.replyToSessionId);
  addText('PartitionKey', message.partitionKey);

  if (dataType === 'binary' || dataType === 'stream') {
    const body: unknown = message.body;
    const bytes = body instanceof Uint8Array ? body : Buffer.from(messageText(body));
    return { data: { bytes }, triggerMetadata: Object.fromEntries(metadata) };
  }
  const text = messageText(message.body);
  applyBody(text, metadata);
  return { data: { string: text }, triggerMetadata: Object.fromEntries(metadata) };
}
