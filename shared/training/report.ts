/** Reports of jobs: blobs `job-reports/{project}/{run}/{token}/{sequence}.json`, and the events they are for a run. */
import { TerminalError } from '../errors.ts';
import type { Ports } from '../ports.ts';
import { type JobReport, jobReport, terminated } from './job-contract.ts';
import { type RunEvent, trainerFailed, unreadableSamples } from './run.ts';

const maxReportBytes = 256 * 1024;

/** Reads one report by its blob name; undefined: there is none. What is no report is a TerminalError. */
export async function readReport(ports: Pick<Ports, 'blobs'>, name: string): Promise<JobReport | undefined> {
  const found = await ports.blobs.get('job-reports', name, { maxBytes: maxReportBytes });
  if (found === undefined) return undefined;
  if (found === 'too-large')
    throw new TerminalError('report-too-large', `report ${name} has more than ${maxReportBytes} bytes`);
  const report = parseReport(found.body, name);
  if (!name.endsWith(`/${reportFile(report.sequence)}`))
    throw new TerminalError('bad-report', `report ${name} says it is number ${report.sequence}`);
  return report;
}

/** File name of the report with this number. */
export const reportFile = (sequence: number): string => `${String(sequence).padStart(6, '0')}.json`;

function parseReport(body: Buffer, name: string): JobReport {
  let json: unknown;
  try {
    json = JSON.parse(body.toString('utf8'));
  } catch {
    throw new TerminalError('bad-report', `report ${name} is not JSON`);
  }
  const parsed = jobReport.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new TerminalError('bad-report', `report ${name}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`);
  }
  return parsed.data;
}

/**
 * What a report is for its run. Times are ours: a job's clock may be minutes off. A job that failed on samples which the
 * backend cannot read either (`leftOut`, once they are few enough to be left out) is tried again without them.
 */
export function toEvent(report: JobReport, token: string, now: Date, leftOut = 0): RunEvent {
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
