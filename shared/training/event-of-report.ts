/** What a report is for its run. */
import { type JobReport, terminated } from './job-contract.ts';
import { type RunEvent, trainerFailed, unreadableSamples } from './run.ts';

/**
 * What a report is for its run. Times are ours: a job's clock may be minutes off. A job that failed on samples which the
 * backend cannot read either (`leftOut`, once they are few enough to be left out) is tried again without them.
 */
export function eventOfReport(report: JobReport, token: string, now: Date, leftOut = 0): RunEvent {
  const common = { token, sequence: report.sequence, at: now.toISOString() };
  const metrics = report.metrics ?? [];
  switch (report.kind) {
    case 'started':
      return {
        kind: 'started',
        execution: report.execution,
        machine: report.machine ?? null,
        code: report.code ?? null,
        ...common,
      };
    case 'heartbeat':
      return { kind: 'heartbeat', progress: report.progress ?? null, metrics, ...common };
    case 'succeeded':
      return { kind: 'succeeded', metrics, ...common };
    case 'failed': {
      if (report.reason === terminated) {
        const detail = 'The job was told to end before it was done: its machine was taken away.';
        return { kind: 'attempt-failed', code: terminated, detail, retryable: true, token, at: common.at };
      }
      const detail = `The training program failed: ${report.reason}`;
      if (leftOut > 0) {
        const again = `${leftOut} of the samples that it could not read cannot be read by the backend either: they wait for review, and it is tried again without them.`;
        const failure = { code: unreadableSamples, detail: `${detail}. ${again}`, retryable: true };
        return { kind: 'attempt-failed', ...failure, token, at: common.at };
      }
      return { kind: 'attempt-failed', code: trainerFailed, detail, retryable: false, token, at: common.at };
    }
  }
}
