/** What every document may carry, and the documents of delivery itself. Times are RFC 3339 in UTC; `pk` is the partition key. */
import type { Message } from './message.ts';
import type { EventDocument } from '../event/document.ts';
import type { QueueName } from '../resources.ts';
/** What a saved state change still has to send; cleared once it is sent. */
export type Outgoing =
  | {
      to: 'queue';
      queue: QueueName;
      message: Message;
      notBefore?: string;
    }
  | {
      to: 'feed';
      event: EventDocument;
    };
export interface DocumentBase {
  id: string;
  pk: string;
  outbox?: Outgoing[];
}
/** Why a message about a document waits. */
export interface Waits {
  /** what does not answer, in a sentence */
  detail: string;
  /** when it is tried again */
  nextAt: string;
}
/** id: derives from queue and message; pk: queue */
export interface DeadLetterDocument extends DocumentBase {
  queue: QueueName;
  messageId: string;
  /** text of the body, at most 64 KB of it */
  body: string;
  truncated: boolean;
  reason: string;
  detail: string;
  project: string | null;
  status: 'waiting' | 'replayed' | 'dismissed';
  /** who gave it up last, and why */
  dismissed?: {
    at: string;
    by: string;
    reason: string;
  };
  count: number;
  firstAt: string;
  lastAt: string;
  replayedAt: string | null;
}
/** What is done once however often it is asked for; id and pk: digest of what names it; expires after a day */
export interface RequestDocument extends DocumentBase {
  /** sha-256 of the body of an HTTP request; empty for a message */
  body: string;
  at: string;
}
