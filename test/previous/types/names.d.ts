import * as z from 'zod';
/** Uploads whose project does not exist are kept here, visible to keys of all projects. */
export declare const unassignedProject = 'unassigned';
export declare const projectName: z.ZodString;
/** Controls, halves of characters, and code points that are no characters: stores and terminals choke on them. */
export declare const unprintable: RegExp;
/** A class name: 1 to 100 characters, no control characters, no slash, no space at either end, in NFC. */
export declare const className: z.ZodString;
/**
 * Whether a blob can be asked for by this name. Addresses resolve dot segments and turn backslashes round, however they are
 * escaped (https://url.spec.whatwg.org/#path-state), so whoever asks for another name gets another blob, or none.
 */
export declare const isAddressable: (blob: string) => boolean;
/** An id that others derived from it are not longer than `length`: what is longer keeps its beginning and its digest. */
export declare const shortened: (id: string, length: number) => string;
/** The first `length` hex digits of sha-256 over the parts, joined by newlines (which no part contains). */
export declare function digestOf(length: number, ...parts: string[]): string;
