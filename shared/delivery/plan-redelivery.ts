/**
 * When a message whose handler said "later" comes again. Service Bus would redeliver it at once, ten times within a
 * second; so it is sent once more with a time before which it is not delivered, and the delivery at hand is completed.
 * What the policy has to know travels in the message (docs/designs/2026-12-delivery-policy.md).
 */
import type { Delay } from '../errors.ts';
import type { Message } from './message.ts';
import { digestOf } from '../digest.ts';

export interface Backoff {
  /** wait before the second delivery; each further one is twice as long */
  firstSeconds: number;
}

export const defaultBackoff: Backoff = { firstSeconds: 2 };
/** The longest wait, in first waits: five minutes of two seconds, since an outage that is over is noticed no sooner. */
const longestInFirst = 150;
/** A service may ask for a longer wait than that, within reason. */
const longestAskedSeconds = 3600;
/** What is not ready, and is no outage (bytes that are missing), is for a person to see: after some twenty minutes. */
const maxAttempts = 12;
/** An outage is waited for this long before somebody is told. */
const longestSeconds = 24 * 3600;
/** Deliveries that may put a message off, counted from its last: one of them may die as well. */
const lastDeliveries = 3;

/** What a message that was put off carries (the fields of the same names in message.ts). */
interface Carried {
  attempt: number;
  firstseen: string;
  outage: boolean;
}

export interface Redelivery {
  /** what the message carries then */
  carried: Carried;
  notBefore: Date;
  /** it has waited for so long that somebody has to know */
  overdue: boolean;
}

/**
 * The next delivery of a message that `delay` put off. The wait doubles with each attempt and is spread over its second
 * half by id and attempt, so that messages that met an outage together do not all come back at once; it is never shorter
 * than the service asked for.
 */
export function planRedelivery(
  message: Pick<Message, 'id' | keyof Carried>,
  { service, afterSeconds = 0 }: Delay,
  now: Date,
  { firstSeconds }: Backoff = defaultBackoff,
): Redelivery {
  const outage = service !== undefined;
  // another kind of trouble than before: the waits begin anew, the time does not
  const attempt = outage === (message.outage ?? false) ? (message.attempt ?? 1) : 1;
  const firstseen = message.firstseen ?? now.toISOString();
  const waitedSeconds = (now.getTime() - Date.parse(firstseen)) / 1000;
  const whole = firstSeconds * Math.min(2 ** (attempt - 1), longestInFirst);
  const spread = Number.parseInt(digestOf(8, message.id, String(attempt)), 16) / 2 ** 32;
  const seconds = Math.max(whole * (1 + spread) * 0.5, Math.min(afterSeconds, longestAskedSeconds));
  return {
    carried: { attempt: attempt + 1, firstseen, outage },
    notBefore: new Date(now.getTime() + seconds * 1000),
    overdue: waitedSeconds >= longestSeconds || (!outage && attempt >= maxAttempts),
  };
}

/**
 * Whether a delivery may put its message off. The broker's own redeliveries follow a delivery that died or could not be
 * settled, and may have put it off already: did each of ten do so again, an hour of that would make thousands of copies
 * of one message. So they are left to the broker, down to its last ones, without which the message would be a dead letter.
 */
export const mayPutOff = (deliveryCount: number, maxDeliveryCount: number): boolean =>
  deliveryCount <= 1 || deliveryCount > maxDeliveryCount - lastDeliveries;

/** A message as it was before it was put off: what its handler sees, and what a dead letter keeps. */
export function asFirstSent<M extends object>(message: M): M {
  const { attempt: _, firstseen: __, outage: ___, ...first } = message as M & Partial<Carried>;
  return first as unknown as M;
}
