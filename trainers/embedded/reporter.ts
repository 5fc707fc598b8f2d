/** Tells the backend how the job goes, and hears from it whether to go on. */
import { setTimeout as pause } from 'node:timers/promises';
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
/** Computing blocks the thread, and a report wants a moment of it; storage that is away is not waited for. */
const sendingMs = 250;
/** how late an order to end is noticed by a job that is not at work, at most */
const watchMs = 1000;

type Progress = NonNullable<JobReport['progress']>;
type Metric = NonNullable<JobReport['metrics']>[number];
/** everything of a report that is not the same for all */
type Tale =
  | { kind: 'heartbeat' }
  | Pick<Extract<JobReport, { kind: 'started' }>, 'kind' | 'machine' | 'code'>
  | { kind: 'failed'; reason: string }
  | Pick<Extract<JobReport, { kind: 'succeeded' }>, 'kind' | 'outputs'>;

export interface Reporter {
  /** Reports one after the other, in the order of the calls. */
  tell(tale: Tale): Promise<void>;
  /** Kept for the next report. */
  note(metrics: Metric[]): void;
  /** A sample that is left out; told by the next report that has room for it. */
  leaveOut(sample: Unreadable): void;
  /** Call often: says how far the work is. Throws when the job is to end. */
  pulse(progress: Progress): Promise<void>;
  /** A heartbeat now, unless most reports are already used up. */
  milestone(progress: Progress): Promise<void>;
  /**
   * Sends heartbeats and re-reads the job document for as long as the job lasts, whatever the work waits for. Rejects with
   * Stopped, Superseded, or an Error where the deadline has passed or storage does not answer for too long.
   */
  watch(): Promise<never>;
  /** The job is to end. */
  stop(reason: Stopped['reason']): void;
}

const reportUrl = ({ urlTemplate }: JobDocument['reports'], sequence: number): string =>
  urlTemplate.replace('{sequence}', String(sequence).padStart(6, '0'));

/** Tells that a job cannot be understood, where its document says at least where to report. */
export async function refuse(document: unknown, execution: string, reason: string): Promise<void> {
  const { data } = jobDocument.pick({ reports: true }).safeParse(document);
  if (data === undefined) return;
  const report: JobReport = { sequence: 1, kind: 'failed', reason, at: new Date().toISOString(), execution };
  await create(reportUrl(data.reports, 1), Buffer.from(JSON.stringify(report)), 'application/json');
}

/** Reports of `job` as execution `execution`. */
export function createReporter(job: JobDocument, documentUrl: string, execution: string): Reporter {
  let sequence = 0;
  let metrics: Metric[] = [];
  const leftOut: Unreadable[] = [];
  let progress: Progress | undefined;
  let stopped: Stopped['reason'] | undefined;
  /** whether the last report is told, or on its way */
  let isOver = false;
  let lastAtMs = Date.now();
  let line: Promise<unknown> = Promise.resolve();
  let sending = 0;

  const send = async (tale: Tale): Promise<void> => {
    const next = sequence + 1;
    const report: JobReport = {
      version: contractVersion,
      ...tale,
      sequence: next,
      at: new Date().toISOString(),
      execution,
      ...(progress === undefined ? {} : { progress }),
      // 1,000 are the contract's bound
      ...(metrics.length === 0 ? {} : { metrics: metrics.splice(0, 1000) }),
      ...(leftOut.length === 0 ? {} : { unreadable: leftOut.splice(0, maxUnreadablePerReport) }),
    };
    lastAtMs = Date.now();
    const url = reportUrl(job.reports, next);
    const written = await create(url, Buffer.from(JSON.stringify(report)), 'application/json');
    if (written === 'exists') throw new Superseded(`report ${next} of this run was written by another execution`);
    sequence = next;
  };

  const tell = (tale: Tale): Promise<void> => {
    isOver ||= tale.kind === 'succeeded' || tale.kind === 'failed';
    const sent = line.then(() => send(tale));
    sending++;
    line = sent.catch(() => undefined).finally(() => sending--);
    return sent;
  };

  const hear = async (): Promise<void> => {
    const fresh = jobDocument.parse(JSON.parse((await get(documentUrl, maxDocumentBytes)).toString('utf8')));
    if (fresh.cancelRequested) stopped ??= 'cancelled';
  };

  const checkIn = async (): Promise<void> => {
    // the last report is kept for the end
    if (!isOver && sequence < job.reports.maximum - 1) await tell({ kind: 'heartbeat' });
    else lastAtMs = Date.now();
    // a document that cannot be read now is no order to stop
    await hear().catch(() => undefined);
  };

  const goOn = (): void => {
    if (stopped !== undefined) throw new Stopped(stopped);
    if (Date.now() > Date.parse(job.deadline)) throw new Error('the deadline has passed');
  };

  return {
    tell,
    note: (list) => {
      metrics = [...metrics, ...list].slice(-1000);
    },
    leaveOut: (sample) => void leftOut.push(sample),
    async pulse(now) {
      progress = now;
      goOn();
      if (sending > 0) await Promise.race([line, pause(sendingMs)]);
    },
    async milestone(now) {
      progress = now;
      if (sequence < job.reports.maximum / 2) await checkIn();
      goOn();
    },
    async watch() {
      const heartbeatMs = job.heartbeatSeconds * 1000;
      for (;;) {
        await pause(Math.min(watchMs, heartbeatMs / 2));
        // how the job ends is being told, and nothing more is to be said
        if (isOver) continue;
        goOn();
        if (Date.now() - lastAtMs >= heartbeatMs) await checkIn();
      }
    },
    stop: (reason) => {
      stopped ??= reason;
    },
  };
}
