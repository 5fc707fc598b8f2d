/** The messages by which a training goes on: each wakes the one verb that does what is next. */
import type * as z from 'zod';
import type { Cause, runPoll, runEnded, runQueued, runTrained } from '../delivery/message.ts';
import { compose } from '../delivery/compose.ts';
import type { Outgoing } from '../delivery/document.ts';

type ToQueue = Extract<Outgoing, { to: 'queue' }>;
interface Named {
  project: string;
  run: string;
}

/** A started run is polled this often until it ends. */
const pollSeconds = 20;

const subjectOf = ({ project, run }: Named): string => `${project}/${run}`;

/** A run may be launched; again, once the backoff `after` an attempt is over. */
export function queued(named: Named, cause: Cause, after = 0, notBefore?: string): ToQueue {
  const { project, run } = named;
  const data = after === 0 ? { project, run } : { project, run, after };
  const message = compose<z.infer<typeof runQueued>>('darkroom.run.queued', subjectOf(named), data, cause);
  return { to: 'queue', queue: 'trainings', message, ...(notBefore !== undefined && { notBefore }) };
}

/** An attempt is to be polled; `nonce` tells the polls of one cause apart. */
export function pollDue(attempt: Named & { token: string }, cause: Cause, nonce: string, now: Date): ToQueue {
  const { project, run, token } = attempt;
  const data = { project, run, token };
  const message = compose<z.infer<typeof runPoll>>('darkroom.run.poll', subjectOf(attempt), data, cause, nonce);
  const notBefore = new Date(now.getTime() + pollSeconds * 1000).toISOString();
  return { to: 'queue', queue: 'trainings', message, notBefore };
}

/** A run was trained, and is to be evaluated. */
export function trained(named: Named, cause: Cause): ToQueue {
  const { project, run } = named;
  const message = compose<z.infer<typeof runTrained>>(
    'darkroom.run.trained',
    subjectOf(named),
    { project, run },
    cause,
  );
  return { to: 'queue', queue: 'evaluations', message };
}

/** A run ended: the next one that waits may begin. `nonce` tells the messages of one cause apart. */
export function ended(named: Named, cause: Cause, nonce = ''): ToQueue {
  const { project, run } = named;
  const message = compose<z.infer<typeof runEnded>>(
    'darkroom.run.ended',
    subjectOf(named),
    { project, run },
    cause,
    nonce,
  );
  return { to: 'queue', queue: 'trainings', message };
}
