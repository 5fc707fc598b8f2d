/** The documents of training runs and of who is next. */
import type { DocumentBase, Waits } from '../delivery/document.ts';
import type { Run } from './run.ts';
import type { Scheduler } from './scheduler.ts';
/** id: `scheduler`; pk: project */
export interface SchedulerDocument extends DocumentBase, Scheduler {}
/** id: run id; pk: project */
export interface RunDocument extends DocumentBase, Run {
  /** why its message waits, or did */
  waits?: Waits;
}
