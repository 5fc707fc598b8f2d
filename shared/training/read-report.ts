/** Reading reports of jobs: blobs `job-reports/{project}/{run}/{token}/{sequence}.json`. */
import { TerminalError } from '../errors.ts';
import type { Ports } from '../ports.ts';
import { type JobReport, jobReport } from './job-contract.ts';

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
