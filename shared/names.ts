/** Names and identifiers that cross a border. */
import * as z from 'zod';

/** Uploads whose project does not exist are kept here, visible to keys of all projects. */
export const unassignedProject = 'unassigned';

export const projectName = z
  .string()
  .regex(
    /^[a-z][a-z0-9-]{1,38}[a-z0-9]$/,
    'a project name is 3 to 40 lower case letters, digits and dashes, beginning with a letter',
  );

/** Controls, halves of characters, and code points that are no characters: stores and terminals choke on them. */
export const unprintable = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u;

/** Names that are none: folders that mean another folder, and a field that JavaScript's objects do not keep. */
const noNames = new Set(['.', '..', '__proto__']);

/** A class name: 1 to 100 printable characters without slashes. Whatever way one comes in, it is trimmed and in NFC from then on. */
export const className = z
  .string()
  .normalize('NFC')
  .trim()
  .min(1, 'a class name has at least one character that is no space')
  .max(100, 'a class name has 100 characters at most')
  .refine((s) => !unprintable.test(s) && !/[/\\]/.test(s), 'a class name has printable characters only, and no slashes')
  .refine((s) => !noNames.has(s), '".", ".." and "__proto__" are reserved and no class names');

/**
 * Classes of a project at most. A model's document holds its metrics for every pair of classes and what it answered to the
 * smoke samples: with so many classes of the longest names a document has 1.9 MB, and may have 2.
 */
export const maxClasses = 500;

/**
 * Whether a blob can be asked for by this name. Addresses resolve dot segments and turn backslashes round, however they are
 * escaped (https://url.spec.whatwg.org/#path-state), so whoever asks for another name gets another blob, or none.
 */
export const isAddressable = (blob: string): boolean =>
  !blob.includes('\\') && !blob.split('/').some((part) => part === '.' || part === '..');
