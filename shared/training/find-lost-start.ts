/** Finding the execution of a start call whose answer was lost. */
import type { Cause } from '../delivery/message.ts';
import { sendOutbox } from '../delivery/send-outbox.ts';
import type { Stored } from '../ports.ts';
import { type ApplyPorts, applyToRun } from './apply.ts';
import { computeOf, type ComputePorts } from './compute.ts';
import type { RunDocument } from './document.ts';
import { startFailed } from './run.ts';

type LostStartPorts = ApplyPorts & ComputePorts;

/**
 * A claim is saved and its start call made within this time (shared/azure/ has the limits): an execution that
 * is not known by then is looked for.
 */
const startCallSeconds = 90;

/** Counts as an attempt: a start call that is lost each time would otherwise be made for ever. */
const startLost = {
  kind: 'attempt-failed' as const,
  code: startFailed,
  detail: `Nothing is known of the execution ${startCallSeconds} s after its start call was to be made; whoever made it died, or its answer was lost.`,
  retryable: true,
};

/** Says what became of a start call whose execution is not known: it is `found`, `starting`, or counts as failed (`start-lost`). */
export async function findLostStart(
  ports: LostStartPorts,
  stored: Stored<RunDocument>,
  token: string,
  cause: Cause,
): Promise<string> {
  const { pk: project, id: run, submittedAt } = stored.document;
  const compute = computeOf(ports, stored.document);
  const found = await compute.list({ DARKROOM_RUN: run, DARKROOM_TOKEN: token });
  const lost = found.find((e) => e.environment['DARKROOM_TOKEN'] === token);
  if (lost !== undefined) {
    const { name, logsUrl } = lost;
    const known = { execution: name, ...(logsUrl === undefined ? {} : { logsUrl }) };
    await applyToRun(ports, project, run, { kind: 'execution-known', token, ...known }, cause);
    return 'found';
  }
  // whoever claimed it may be about to start it, and a second start call would cost a machine: the next poll goes on
  const waitedMs = ports.clock.now().getTime() - Date.parse(submittedAt ?? '');
  if (waitedMs < startCallSeconds * 1000) {
    await sendOutbox(ports, 'runs', stored);
    return 'starting';
  }
  const at = ports.clock.now().toISOString();
  await applyToRun(ports, project, run, { ...startLost, token, at }, cause);
  return 'start-lost';
}
