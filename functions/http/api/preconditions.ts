/** If-Match: nobody overwrites what they have not seen. */
import { Problem } from '../../../shared/api/problem.ts';

/** It is asked for where two people might act at once. Throws a 428 where it was not sent, a 412 where it is another. */
export function requireMatch(call: { ifMatch: string | undefined }, etag: string): void {
  if (call.ifMatch === undefined) {
    throw new Problem(
      428,
      'precondition-required',
      'Send If-Match with the ETag that you read (GET it first), so that nobody overwrites what they have not seen.',
      { target: 'If-Match' },
    );
  }
  if (call.ifMatch !== etag && call.ifMatch !== '*') throw changed();
}

/** The 412 for who has seen another state. */
export const changed = (): Problem =>
  new Problem(412, 'precondition-failed', 'It changed since you read it. Read it again and decide anew.', {
    target: 'If-Match',
  });
