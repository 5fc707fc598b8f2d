/** One thing that may happen to a job, and what a trainer has to make of it. */
import type { Subject } from './attempt.ts';

export interface Case {
  name: string;
  /** how long it takes, where that is too long for `npm test`; what takes minutes has a shorter sibling */
  takes?: 'seconds' | 'minutes';
  /** what not every trainer has: a training that lasts, or a look at what is in a picture */
  needs?: 'lasting' | 'decoding';
  /** Gives what the trainer did wrong; nothing: it kept the contract. */
  check: (subject: Subject) => Promise<string[]>;
}

/** Whether a case says anything of a trainer. */
export const applies = ({ needs }: Pick<Case, 'needs'>, { lasting, decodes }: Subject): boolean =>
  needs === undefined || (needs === 'lasting' ? lasting !== undefined : decodes);

/** A trainer that loads large libraries on a busy machine, and learns a few pictures. */
export const wholeJobSeconds = 300;
/** Compute kills half a minute after it has told a program to end (Azure Container Apps), as does whoever waits for one that does not. */
export const endSeconds = 25;
export const fewSamples = 32;
/** so many pictures, one by one, that nobody gets to the end of them */
export const countless = { samples: 2000, pauseMs: 50 };
