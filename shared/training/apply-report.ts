/** Applying what a job reports: samples that it could not read first, then what became of its run. */
import pMap from 'p-map';
import { setAside, type SetAsidePorts, whyUnreadable } from '../sample/set-aside.ts';
import { findVersion } from '../dataset/find-version.ts';
import type { Ports } from '../ports.ts';
import { type ApplyPorts, applyToRun } from './apply.ts';
import type { RunDocument } from './document.ts';
import type { Cause } from '../delivery/message.ts';
import { type JobReport, maxUnreadable, type Unreadable } from './job-contract.ts';
import { eventOfReport } from './event-of-report.ts';
import { isOpen } from './run.ts';

export type ReportPorts = ApplyPorts & Pick<Ports, 'blobs'> & SetAsidePorts;

const readAtOnce = 4;

/** Applies a report to its run; undefined when it does not apply (late, fenced, ended). Safe to repeat. */
export async function applyReport(
  ports: ReportPorts,
  { project, run, token }: { project: string; run: string; token: string },
  report: JobReport,
  cause: Cause,
): Promise<RunDocument | undefined> {
  const { unreadable, leftOut } = await confirmUnreadable(ports, { project, run, token }, report, cause);
  const event = { ...eventOfReport(report, token, ports.clock.now(), leftOut), unreadable };
  return applyToRun(ports, project, run, event, cause);
}

/**
 * Sets aside those of the samples that a report names which the backend cannot read either, and says how many a job that
 * failed is tried again without: none when they are too many.
 */
async function confirmUnreadable(
  ports: ReportPorts,
  { project, run: id, token }: { project: string; run: string; token: string },
  report: JobReport,
  cause: Cause,
): Promise<{ unreadable: Unreadable[]; leftOut: number }> {
  const none = { unreadable: [], leftOut: 0 };
  if (!report.unreadable?.length) return none;
  const run = (await ports.documents.read('runs', project, id))?.document;
  const owner = (await ports.documents.read('projects', 'projects', project))?.document;
  // another execution's reports do not count, and neither are those of a run that has ended
  if (run === undefined || owner === undefined || run.token !== token || !isOpen(run.state)) return none;
  const confirmed = await pMap(
    report.unreadable,
    async ({ md5 }) => {
      const reason = await whyUnreadable(ports, project, md5, run.image);
      if (reason === undefined) return [];
      return (await setAside(ports, owner, { md5, reason, training: id }, cause)) ? [{ md5, reason }] : [];
    },
    { concurrency: readAtOnce },
  );
  const unreadable = confirmed.flat();
  if (report.kind !== 'failed' || unreadable.length === 0) return { unreadable, leftOut: 0 };
  const { bySplit } = await findVersion(ports, project, run.version.id);
  const all = new Set([...(run.unreadable ?? []), ...unreadable].map(({ md5 }) => md5)).size;
  return { unreadable, leftOut: all <= maxUnreadable(bySplit.train + bySplit.validation) ? unreadable.length : 0 };
}
