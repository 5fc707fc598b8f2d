/** Activity and dead letters as the API shows them. */
import * as z from 'zod';
import type { DeadLetterDocument } from '../../delivery/document.ts';
import type { EventDocument } from '../../event/document.ts';
import { time } from './page.ts';

export const eventView = z.object({
  id: z.string(),
  type: z.string(),
  subject: z.string(),
  text: z.string(),
  at: time,
  cause: z.string().nullable(),
  by: z.string().nullable(),
});

/** An event as the feed shows it. */
export const toEventView = ({ id, type, subject, text, at, cause, by }: EventDocument): z.infer<typeof eventView> => ({
  id,
  type,
  subject,
  text,
  at,
  cause,
  by,
});

export const deadLetterView = z.object({
  id: z.string(),
  queue: z.string(),
  messageId: z.string(),
  reason: z.string(),
  detail: z.string(),
  project: z.string().nullable(),
  status: z.enum(['waiting', 'replayed', 'dismissed']),
  count: z.number(),
  firstAt: time,
  lastAt: time,
  replayedAt: time.nullable(),
  dismissed: z.object({ at: time, by: z.string(), reason: z.string() }).nullable(),
  body: z.string(),
});

/** A dead letter as the API shows it. */
export const toDeadLetterView = (d: DeadLetterDocument): z.infer<typeof deadLetterView> => {
  const { id, queue, messageId, reason, detail, project, status, count, firstAt, lastAt, replayedAt, body } = d;
  return {
    ...{ id, queue, messageId, reason, detail, project, status, count, firstAt, lastAt, replayedAt },
    ...{ dismissed: d.dismissed ?? null, body },
  };
};
