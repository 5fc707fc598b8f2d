/** The task kind of classifiers: every picture shows one of the project's classes. */
import type { TaskKind } from '../task.ts';
import { type Labelled } from './annotation.ts';
export declare const classification: TaskKind<Labelled>;
