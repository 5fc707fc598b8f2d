/**
 * When a message whose handler said "later" comes again. Service Bus would redeliver it at once, ten times within a
 * second; so it is sent once more with a time before which it is not delivered, and the delivery at hand is completed.
 * What the policy has to know travels in the message (docs/designs/2026-12-delivery-policy.md).
 */
import type { Delay } from '../errors.ts';
import type { Message } from './message.ts';
export interface Backoff {
  /** wait before the second delivery; each further one is twice as long */
  firstSeconds: number;
}
export declare const defaultBackoff: Backoff;
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
export declare function planRedelivery(
  message: Pick<Message, 'id' | keyof Carried>,
  { service, afterSeconds }: Delay,
  now: Date,
  { firstSeconds }?: Backoff,
): Redelivery;
/**
 * Whether a delivery may put its message off. The broker's own redeliveries follow a delivery that died or could not be
 * settled, and may have put it off already: did each of ten do so again, an hour of that would make thousands of copies
 * of one message. So they are left to the broker, down to its last ones, without which the message would be a dead letter.
 */
export declare const mayPutOff: (deliveryCount: number, maxDeliveryCount: number) => boolean;
/** A message as it was before it was put off: what its handler sees, and what a dead letter keeps. */
export declare function asFirstSent<M extends object>(message: M): M;
export {};
