/** The task kind of detectors: every picture shows any number of objects of the project's classes, each in a box. */
import type { TaskKind } from '../task.ts';
import { type Boxes } from './annotation.ts';
export declare const detection: TaskKind<Boxes>;
