/** What is wrong with a started run, judged by its reports and by what compute knows: silence, deadlines, lost executions. */
import type { Execution } from '../ports.ts';
import type { RunDocument } from './document.ts';
import { startTimeoutSeconds } from './compute.ts';
import { pastDeadline } from './fail-attempt.ts';

/** A job reports at least every 10 s; this much silence means it is gone. */
const silenceSeconds = 120;
/** Reports may be behind the execution's state by this much. */
const reportDelaySeconds = 30;
/** What a job may take beyond its time limit to end by itself. */
const graceSeconds = 60;

/** What is wrong with a started run, if anything; `execution` is what compute knows of it. */
export function diagnose(
  run: RunDocument,
  execution: Execution | undefined,
  now: Date,
): { code: string; detail: string; retryable: boolean } | undefined {
  const since = (at: string | null): number => (at === null ? 0 : (now.getTime() - Date.parse(at)) / 1000);
  const quiet = Math.min(since(run.lastReport?.at ?? run.submittedAt), since(run.submittedAt));
  const isLate = run.startedAt !== null && since(run.startedAt) > run.trainer.timeoutSeconds + graceSeconds;
  if (execution === undefined) {
    if (isLate) return pastDeadline(run);
    if (quiet < reportDelaySeconds) return undefined;
    return {
      code: 'execution-lost',
      detail:
        'Compute knows nothing of the execution any more; it was deleted, or its machine was taken away. It is tried again while attempts are left.',
      retryable: true,
    };
  }
  if (execution.state === 'failed' || execution.state === 'stopped' || execution.state === 'succeeded') {
    if (quiet < reportDelaySeconds) return undefined;
    const detail = `${endOf(run, execution)} ${execution.reason ?? 'Its log says why.'}`;
    // whoever looks late cannot say that the job was: it may have died early, of an outage that is over only now
    return { code: `execution-${execution.state}`, detail, retryable: true };
  }
  if (isLate) return pastDeadline(run);
  if (run.state === 'submitted' && since(run.submittedAt) > startTimeoutSeconds(run)) {
    const waits =
      execution.state === 'pending' ? 'Compute still prepares it: no machine is free, or the image is stuck.' : '';
    const detail = `The job did not begin within ${startTimeoutSeconds(run)} s. ${execution.reason ?? waits}`.trim();
    return { code: 'start-timeout', detail, retryable: true };
  }
  if (run.state === 'running' && quiet > silenceSeconds) {
    return { code: 'silent', detail: `The job has not reported for ${Math.round(quiet)} s.`, retryable: true };
  }
  return undefined;
}

/** How an execution ended that reported nothing itself. */
function endOf(run: RunDocument, { name, state }: Execution): string {
  if (run.startedAt !== null) return `The execution ${name} is ${state} and never reported its end.`;
  return `The execution ${name} is ${state}, before the training began: the machine or the image did not come, or the program ended at once.`;
}
