/** What the sentences of a verdict are made of. */

/** a sentence has to stay readable however many classes there are */
const mostNamed = 20;

/** The items, or the first of many and how many more there are. */
export const listed = (items: readonly string[]): string =>
  items.length <= mostNamed
    ? items.join(', ')
    : `${items.slice(0, mostNamed).join(', ')} and ${items.length - mostNamed} more`;

/** A share as people read it: `97.7 %`. */
export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** The p-value of a test; it is never 0. */
export const p = (value: number): string => (value < 0.0005 ? 'p < 0.001' : `p = ${value.toFixed(3)}`);
