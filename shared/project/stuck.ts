/** What is said of something that stands still, and for how long a thing may. */
import type { Clock } from '../ports.ts';

export interface Stuck {
  kind: 'upload' | 'samples' | 'version' | 'training' | 'batch' | 'messages' | 'canary' | 'dead-letter';
  /** the document that stands still */
  id: string;
  since: string;
  detail: string;
  /** what to send to mend it */
  remedy: string;
}

/** Most things of one kind that are listed. */
export const maxStuck = 100;

/** Whether a moment lies longer ago than so many seconds: what is younger is still being worked on, by redeliveries and repeated attempts. */
export const isLongAgo = ({ clock }: { clock: Clock }, at: string, seconds: number): boolean =>
  (clock.now().getTime() - Date.parse(at)) / 1000 > seconds;

/** The request that mends what the sweep mends. */
export const sweepNow = (project: string): string => `POST /api/v1/projects/${project}/sweep`;
