/** Composing a message of our own. */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import { shortened } from '../digest.ts';
import { type Cause, dataVersion, maxIdLength, type OwnMessage } from './message.ts';

/** W3C trace context, level 1 */
const traceparent = z.string().regex(/^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/);

/**
 * Composes a message whose id derives from its cause, type and subject, so that a handler run twice sends equal ids.
 * `nonce` tells repeated messages of one cause apart (a check that schedules the next check).
 */
export function compose<M extends OwnMessage>(
  type: M['type'],
  subject: string,
  data: M['data'],
  cause: Cause,
  nonce = '',
): M {
  const id = `m-${createHash('sha256').update(`${cause.id}\n${type}\n${subject}\n${nonce}`).digest('hex').slice(0, 32)}`;
  return {
    specversion: '1.0',
    id,
    source: '/darkroom',
    dataversion: dataVersion,
    type,
    subject,
    data,
    correlationid: shortened(cause.correlationid ?? cause.id, maxIdLength),
    causationid: shortened(cause.id, maxIdLength),
    ...(traceparent.safeParse(cause.traceparent).success ? { traceparent: cause.traceparent } : {}),
  } as M;
}
