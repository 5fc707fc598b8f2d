/** How programs of other languages read what a classifier answers. */
import type { KindExamples } from '../examples.ts';
export declare const examples: KindExamples;
