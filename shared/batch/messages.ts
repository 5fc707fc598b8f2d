/** The message by which a batch goes on. */
import type * as z from 'zod';
import { compose } from '../delivery/compose.ts';
import type { Outgoing } from '../delivery/document.ts';
import type { batchDue, Cause } from '../delivery/message.ts';

/** A batch is to go on from its part `part` on. */
export function due(project: string, batch: string, part: number, cause: Cause): Extract<Outgoing, { to: 'queue' }> {
  const data = { project, batch };
  const message = compose<z.infer<typeof batchDue>>(
    'darkroom.batch.due',
    `${project}/${batch}`,
    data,
    cause,
    String(part),
  );
  return { to: 'queue', queue: 'evaluations', message };
}
