/** Hearing what a job reports: samples that it could not read first, then what became of its run. */
import pMap from 'p-map';
import { setAside, type SetAsidePorts, whyUnreadable } from '../sample/set-aside.ts';
import type { RunDocument } from './document.ts';
import type { Cause } from '../delivery/message.ts';
import { type JobReport, maxUnreadable, type Unreadable } from './job-contract.ts';
import { toEvent } from './report.ts';
import { findVersion } from './request.ts';
import { isOpen } from './run.ts';
import { applyToRun, type TrainPorts } from './start.ts';

export type HearPorts = TrainPorts & SetAsidePorts;

const readAtOnce = 4;

/** Applies a report to its run; undefined when it does not apply (late, fenced, ended). Safe to repeat. */
export async function hearReport(
  ports: HearPorts,
  { project, run, token }: { project: string; run: string; token: string },
  report: JobReport,
  cause: Cause,
): Promise<RunDocument | undefined> {
  const { unreadable, leftOut } = await confirm(ports, { project, run, token }, report, cause);
  const event = { ...toEvent(report, token, ports.clock.now(), leftOut), unreadable };
  return applyToRun(ports, project, run, event, cause);
}

/**
 * Sets aside those of the samples that a report names which the backend cannot read either, and says how many a job that
 * failed is tried again without: none when they are too many.
 */
async function confirm(
  ports: HearPorts,
  { project, run: id, token }: { project: string; run: string; token: string },
  report: JobReport,
  cause: Cause,
): Promise<{ unreadable: Unreadable[]; leftOut: number }> {
  const none = { unreadable: [], leftOut: 0 };
  if (!report.unreadable?.length) return none;
  const run = (await ports.documents.read('runs', project, id))?.document;
  const owner = (await ports.documents.read('projects', 'projects', project))?.document;
  // another execution's reports are not heard, and neither are those of a run that has ended
  if (run === undefined || owner === undefined || run.token !== token || !isOpen(run.state)) return none;
  const looked = await pMap(
    report.unreadable,
    async ({ md5 }) => {
      const reason = await whyUnreadable(ports, project, md5, run.image);
      if (reason === undefined) return [];
      return (await setAside(ports, owner, { md5, reason, training: id }, cause)) ? [{ md5, reason }] : [];
    },
    { concurrency: readAtOnce },
  );
  const unreadable = looked.flat();
  if (report.kind !== 'failed' || unreadable.length === 0) return { unreadable, leftOut: 0 };
  const { bySplit } = await findVersion(ports, project, run.version.id);
  const all = new Set([...(run.unreadable ?? []), ...unreadable].map(({ md5 }) => md5)).size;
  return { unreadable, leftOut: all <= maxUnreadable(bySplit.train + bySplit.validation) ? unreadable.length : 0 };
}
