/** Launching a queued run on compute: claim, job document, start call, execution name. */
import type * as z from 'zod';
import type { Cause, runQueued } from '../delivery/message.ts';
import { sendOutbox } from '../delivery/send-outbox.ts';
import { RetryLater, TerminalError } from '../errors.ts';
import type { Ports, Started, Stored } from '../ports.ts';
import { applyToRun } from './apply.ts';
import { computeOf, type ComputePorts } from './compute.ts';
import type { RunDocument } from './document.ts';
import { findLostStart } from './find-lost-start.ts';
import { writeJob } from './job.ts';
import { ended } from './messages.ts';
import { cancelled, isOpen, startFailed } from './run.ts';

type LaunchPorts = ComputePorts & Pick<Ports, 'clock' | 'ids' | 'documents' | 'blobs' | 'messages'>;

/**
 * Launches a run that is queued, or whose start call may have been lost; returns what became of it. Only the project's
 * active run is launched: the scheduler document is what keeps jobs from doubling. A run whose attempt failed waits for
 * the message that comes `after` that attempt's backoff: any other is older, or a copy.
 */
export async function launchRun(
  ports: LaunchPorts,
  { project, run, after = 0 }: z.infer<typeof runQueued>['data'],
  cause: Cause,
): Promise<string> {
  const scheduler = await ports.documents.read('schedulers', project, 'scheduler');
  if (scheduler?.document.active?.run !== run) return 'not-its-turn';
  const stored = await ports.documents.read('runs', project, run);
  if (stored === undefined) return 'unknown-run';
  const { state, execution, token, attempt } = stored.document;
  if (!isOpen(state)) {
    await sendOutbox(ports, 'runs', stored);
    // it was ended while it waited: whoever waits behind it must not wait for ever
    const { queue, message } = ended({ project, run }, cause);
    await ports.messages.send(queue, [message]);
    return state;
  }
  if (state !== 'queued' && !(state === 'submitted' && execution === null)) return state;
  if (state === 'queued' && after !== attempt) return 'waits-for-its-retry';
  if (stored.document.cancelRequested) {
    await applyToRun(ports, project, run, cancelled(ports.clock.now(), null), cause);
    return 'cancelled';
  }
  if (state === 'submitted' && token !== null) return findLostStart(ports, stored, token, cause);
  return claimAndStart(ports, stored, cause);
}

/**
 * Prepares first and claims last, so that little time lies between a claim and its start call: a claim without an
 * execution is taken for a start call that was lost.
 */
async function claimAndStart(ports: LaunchPorts, stored: Stored<RunDocument>, cause: Cause): Promise<string> {
  const { document: seen } = stored;
  const { pk: project, id: run } = seen;
  const token = ports.ids.next();
  const prepared = await writeJob(ports, seen, seen.attempt + 1, token).catch((error: unknown) => ({ error }));
  // nothing was claimed and nothing started: the delivery is repeated, and costs the run no attempt
  if (typeof prepared !== 'string' && prepared.error instanceof RetryLater) throw prepared.error;
  const claimedAt = ports.clock.now().toISOString();
  const claimed = await applyToRun(ports, project, run, { kind: 'claim', token, seen, at: claimedAt }, cause);
  if (claimed?.token !== token) return 'claimed-elsewhere';
  const compute = computeOf(ports, seen);
  let begun: Started;
  try {
    if (typeof prepared !== 'string') throw prepared.error;
    const environment = { DARKROOM_JOB_URL: prepared, DARKROOM_RUN: run, DARKROOM_TOKEN: token };
    begun = await compute.start(environment);
  } catch (error) {
    const failure = {
      ...notStarted(error),
      kind: 'attempt-failed' as const,
      token,
      at: ports.clock.now().toISOString(),
    };
    const pause = error instanceof RetryLater ? (error.afterSeconds ?? 0) : 0;
    const after = await applyToRun(ports, project, run, failure, cause, { pauseSeconds: pause });
    return after?.state === 'queued' && failure.putOff ? 'start-later' : failure.code;
  }
  const known = await applyToRun(ports, project, run, { kind: 'execution-known', token, ...begun }, cause);
  if (known !== undefined) return 'started';
  // cancelled, or claimed by another, while the start call was under way
  await compute.stop(begun.execution);
  return 'started-for-nobody';
}

/**
 * Why a start call failed: with a code of its own where compute refused it, so that it took no effect for certain. What
 * compute does not take for the time being, or does not answer, is its outage, and costs the run no attempt.
 */
function notStarted(error: unknown): { code: string; detail: string; retryable: boolean; putOff?: true } {
  const detail = `The training job could not be started: ${error instanceof Error ? error.message : String(error)}`;
  if (error instanceof TerminalError) return { code: error.code, detail, retryable: false };
  if (error instanceof RetryLater) return { code: error.code ?? startFailed, detail, retryable: true, putOff: true };
  return { code: startFailed, detail, retryable: true };
}
