/** Names and identifiers that cross a border. */
import * as z from 'zod';
/** Uploads whose project does not exist are kept here, visible to keys of all projects. */
export declare const unassignedProject = 'unassigned';
export declare const projectName: z.ZodString;
/** Controls, halves of characters, and code points that are no characters: stores and terminals choke on them. */
export declare const unprintable: RegExp;
/** A class name: 1 to 100 printable characters without slashes. Whatever way one comes in, it is trimmed and in NFC from then on. */
export declare const className: z.ZodString;
/**
 * Classes of a project at most. A model's document holds its metrics for every pair of classes and what it answered to the
 * smoke samples: with so many classes of the longest names a document has 1.9 MB, and may have 2.
 */
export declare const maxClasses = 500;
/**
 * Whether a blob can be asked for by this name. Addresses resolve dot segments and turn backslashes round, however they are
 * escaped (https://url.spec.whatwg.org/#path-state), so whoever asks for another name gets another blob, or none.
 */
export declare const isAddressable: (blob: string) => boolean;
