/** Tells the backend how the job goes, and hears from it whether to go on. */
import {
  contractVersion,
  jobDocument,
  maxUnreadablePerReport,
  type JobDocument,
  type JobReport,
  type Unreadable,
} from '../../shared/training/job-contract.ts';
import { create, get } from './http.ts';

/** Somebody wishes the job to end: nobody needs its model any more, or its machine is taken away. */
export class Stopped extends Error {
  readonly reason: 'cancelled' | 'terminated';
  constructor(reason: Stopped['reason']) {
    super(reason);
    this.reason = reason;
  }
}

/** Another execution reports for this run: this one has no business any more. */
export class Superseded extends Error {}

export const maxDocumentBytes = 1 << 20;

type Progress = NonNullable<JobReport['progress']>;
type Metric = NonNullable<JobReport['metrics']>[number];
/** everything of a report that is not the same for all */
type Tale =
  | { kind: 'heartbeat' }
  | Pick<Extract<JobReport, { kind: 'started' }>, 'kind' | 'machine' | 'code'>
  | { kind: 'failed'; reason: string }
  | Pick<Extract<JobReport, { kind: 'succeeded' }>, 'kind' | 'outputs'>;

export interface Reporter {
  tell(tale: Tale): Promise<void>;
  /** Kept for the next report. */
  note(metrics: Metric[]): void;
  /** A sample that is left out; told by the next report that has room for it. */
  leaveOut(sample: Unreadable): void;
  /** Call often: sends a heartbeat and re-reads the job document when it is time. Throws Stopped or Superseded. */
  pulse(progress: Progress): Promise<void>;
  /** A heartbeat now, unless most reports are already used up. */
  milestone(progress: Progress): Promise<void>;
  /** The next pulse throws Stopped. */
  stop(reason: Stopped['reason']): void;
}

/** Reports of `job` as execution `execution`. */
export function createReporter(job: JobDocument, documentUrl: string, execution: string): Reporter {
  let sequence = 0;
  let metrics: Metric[] = [];
  const leftOut: Unreadable[] = [];
  let progress: Progress | undefined;
  let stopped: Stopped['reason'] | undefined;
  let lastAtMs = Date.now();

  const tell = async (tale: Tale): Promise<void> => {
    sequence++;
    const report: JobReport = {
      version: contractVersion,
      ...tale,
      sequence,
      at: new Date().toISOString(),
      execution,
      ...(progress === undefined ? {} : { progress }),
      // 1,000 are the contract's bound
      ...(metrics.length === 0 ? {} : { metrics: metrics.splice(0, 1000) }),
      ...(leftOut.length === 0 ? {} : { unreadable: leftOut.splice(0, maxUnreadablePerReport) }),
    };
    lastAtMs = Date.now();
    const url = job.reports.urlTemplate.replace('{sequence}', String(sequence).padStart(6, '0'));
    const written = await create(url, Buffer.from(JSON.stringify(report)), 'application/json');
    if (written === 'exists') throw new Superseded(`report ${sequence} of this run was written by another execution`);
  };

  const hear = async (): Promise<void> => {
    const fresh = jobDocument.parse(JSON.parse((await get(documentUrl, maxDocumentBytes)).toString('utf8')));
    if (fresh.cancelRequested) stopped = 'cancelled';
  };

  const checkIn = async (): Promise<void> => {
    // the last report is kept for the end
    if (sequence < job.reports.maximum - 1) await tell({ kind: 'heartbeat' });
    else lastAtMs = Date.now();
    // a document that cannot be read now is no order to stop
    await hear().catch(() => undefined);
    if (stopped !== undefined) throw new Stopped(stopped);
  };

  return {
    tell,
    note: (list) => {
      metrics = [...metrics, ...list].slice(-1000);
    },
    leaveOut: (sample) => void leftOut.push(sample),
    async pulse(now) {
      progress = now;
      if (stopped !== undefined) throw new Stopped(stopped);
      if (Date.now() > Date.parse(job.deadline)) throw new Error('the deadline has passed');
      if (Date.now() - lastAtMs >= job.heartbeatSeconds * 1000) await checkIn();
    },
    async milestone(now) {
      progress = now;
      if (sequence < job.reports.maximum / 2) await checkIn();
    },
    stop: (reason) => {
      stopped ??= reason;
    },
  };
}
