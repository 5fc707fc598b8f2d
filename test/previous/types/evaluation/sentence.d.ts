/** What the sentences of a verdict are made of. */
/** The items, or the first of many and how many more there are. */
export declare const listed: (items: readonly string[]) => string;
/** A share as people read it: `97.7 %`. */
export declare const percent: (share: number) => string;
/** The p-value of a test; it is never 0. */
export declare const p: (value: number) => string;
