/** `training-events`: reports of jobs, which arrive as blobs, move their run forward. */
import { TerminalError } from '../errors.ts';
import type { BlobCreatedEvent } from '../delivery/message.ts';
import { projectName } from '../names.ts';
import type { Ports } from '../ports.ts';
import { applyReport, type ReportPorts } from './apply-report.ts';
import { computeOf, type ComputePorts } from './compute.ts';
import { readReport } from './read-report.ts';
import { blobOf } from '../upload/name.ts';

type ReceivePorts = ReportPorts & ComputePorts;

const namePattern =
  /^([a-z][a-z0-9-]{1,38}[a-z0-9])\/([A-Za-z0-9][A-Za-z0-9._-]{0,79})\/([A-Za-z0-9][A-Za-z0-9._-]{0,79})\/\d{6}\.json$/;

/** Handles one report. What is not a report is recorded and completed; what is late or fenced changes nothing. */
export async function receiveReport(
  ports: ReceivePorts,
  event: BlobCreatedEvent,
): Promise<{ project: string; run: string; outcome: string }> {
  const blob = blobOf(event.subject);
  const match = blob?.container === 'job-reports' ? namePattern.exec(blob.name) : null;
  const [, project = '', run = '', token = ''] = match ?? [];
  if (blob === undefined || !projectName.safeParse(project).success) {
    throw new TerminalError('bad-report-name', `not the name of a report: ${event.subject.slice(0, 200)}`);
  }
  const report = await readReport(ports, blob.name);
  if (report === undefined) return { project, run, outcome: 'gone' };
  const applied = await applyReport(ports, { project, run, token }, report, event);
  if (applied === undefined && report.kind === 'started')
    await stopUnbound(ports, project, run, token, report.execution);
  return { project, run, outcome: applied === undefined ? 'ignored' : report.kind };
}

/** The trace of the run that a report belongs to: storage events carry none. */
export async function traceOfReport(
  ports: Pick<Ports, 'documents'>,
  event: BlobCreatedEvent,
): Promise<string | undefined> {
  const [, project, run] = namePattern.exec(blobOf(event.subject)?.name ?? '') ?? [];
  if (project === undefined || run === undefined) return undefined;
  return (await ports.documents.read('runs', project, run))?.document.traceparent ?? undefined;
}

/** An execution that the run is not bound to must not go on computing. Only one that was started for this run is stopped. */
async function stopUnbound(
  ports: ReceivePorts,
  project: string,
  run: string,
  token: string,
  execution: string,
): Promise<void> {
  const stored = await ports.documents.read('runs', project, run);
  if (stored?.document.token === token && stored.document.boundTo === execution) return;
  const compute = stored === undefined ? ports.compute : computeOf(ports, stored.document);
  const { environment } = (await compute.get(execution)) ?? {};
  if (environment?.['DARKROOM_RUN'] !== run || environment['DARKROOM_TOKEN'] !== token) return;
  await compute.stop(execution);
}
