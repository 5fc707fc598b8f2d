/** If-Match: nobody overwrites what they have not seen. */
import { TerminalError } from './errors.ts';

/** An etag that somebody has seen, or `*` for whoever wants what there is. */
export type Seen = string | undefined;

/** Asked where two people might act at once. Throws where nothing was seen, or another state than `etag`. */
export function assertSeen(seen: Seen, etag: string): void {
  if (seen === undefined) {
    throw new TerminalError(
      'precondition-required',
      'Send If-Match with the ETag that you read (GET it first), so that nobody overwrites what they have not seen.',
      'If-Match',
    );
  }
  if (seen !== etag && seen !== '*') throw changed();
}

/** The error of who has seen another state. */
export const changed = (): TerminalError =>
  new TerminalError('precondition-failed', 'It changed since you read it. Read it again and decide anew.', 'If-Match');
