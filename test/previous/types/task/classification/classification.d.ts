import type { TaskKind } from '../task.ts';
import { type Labelled } from './annotation.ts';
export declare const classification: TaskKind<Labelled>;
