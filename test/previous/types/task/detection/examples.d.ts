/** How programs of other languages read what a detector answers: class-wise suppression of what overlaps, in pixels of the input. */
import type { KindExamples } from '../examples.ts';
export declare const examples: KindExamples;
