/** `training-events`: reports of jobs, which arrive as blobs, move their run forward. */
import { TerminalError } from '../shared/errors.ts';
import type { BlobCreatedEvent } from '../shared/message.ts';
import { projectName } from '../shared/names.ts';
import type { RunEvent } from '../shared/training/run.ts';
import { type JobReport, jobReport } from '../shared/training/job-contract.ts';
import { applyToRun, type TrainPorts } from '../shared/training/start.ts';
import { blobOf } from '../shared/upload.ts';

const maxReportBytes = 256 * 1024;
const namePattern = /^([a-z][a-z0-9-]{1,38}[a-z0-9])\/([A-Za-z0-9._-]{1,80})\/([A-Za-z0-9._-]{1,80})\/(\d{6})\.json$/;

/** Handles one report. What is not a report is recorded and completed; what is late or fenced changes nothing. */
export async function trainingEvent(
  ports: TrainPorts,
  event: BlobCreatedEvent,
): Promise<{ project: string; run: string; outcome: string }> {
  const blob = blobOf(event.subject);
  const match = blob?.container === 'job-reports' ? namePattern.exec(blob.name) : null;
  const [, project = '', run = '', token = '', sequence = ''] = match ?? [];
  if (blob === undefined || !projectName.safeParse(project).success) {
    throw new TerminalError('bad-report-name', `not the name of a report: ${event.subject.slice(0, 200)}`);
  }
  const found = await ports.blobs.get('job-reports', blob.name, { maxBytes: maxReportBytes });
  if (found === undefined) return { project, run, outcome: 'gone' };
  if (found === 'too-large')
    throw new TerminalError('report-too-large', `report ${blob.name} has more than ${maxReportBytes} bytes`);
  const report = parseReport(found.body, blob.name);
  if (report.sequence !== Number(sequence)) {
    throw new TerminalError('bad-report', `report ${blob.name} says it is number ${report.sequence}`);
  }
  const applied = await applyToRun(ports, project, run, toEvent(report, token, ports.clock.now()), event);
  if (applied === undefined && report.kind === 'started')
    await stopStranger(ports, project, run, token, report.execution);
  return { project, run, outcome: applied === undefined ? 'ignored' : report.kind };
}

/** The trace of the run that a report belongs to: storage events carry none. */
export async function traceOfReport(
  ports: Pick<TrainPorts, 'documents'>,
  event: BlobCreatedEvent,
): Promise<string | undefined> {
  const [, project, run] = namePattern.exec(blobOf(event.subject)?.name ?? '') ?? [];
  if (project === undefined || run === undefined) return undefined;
  return (await ports.documents.read('runs', project, run))?.document.traceparent ?? undefined;
}

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

/** Times are ours: a job's clock may be minutes off. */
function toEvent(report: JobReport, token: string, now: Date): RunEvent {
  const common = { token, sequence: report.sequence, at: now.toISOString() };
  const metrics = report.metrics ?? [];
  switch (report.kind) {
    case 'started':
      return { kind: 'started', execution: report.execution, ...common };
    case 'heartbeat':
      return { kind: 'heartbeat', progress: report.progress ?? null, metrics, ...common };
    case 'succeeded':
      return { kind: 'succeeded', metrics, ...common };
    case 'failed': {
      const detail = `The training program failed: ${report.reason}`;
      const retryable = report.reason === 'terminated';
      return { kind: 'attempt-failed', code: 'trainer-failed', detail, retryable, token, at: common.at };
    }
  }
}

/** An execution that the run is not bound to must not go on computing. */
async function stopStranger(
  ports: TrainPorts,
  project: string,
  run: string,
  token: string,
  execution: string,
): Promise<void> {
  const stored = await ports.documents.read('runs', project, run);
  const bound = stored?.document.token === token && stored.document.boundTo === execution;
  if (!bound) await ports.compute.stop(execution);
}
