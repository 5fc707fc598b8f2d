/** Names in a sentence, which has to stay readable however many there are. */

const mostNamed = 20;

/** The items, or the first of many and how many more there are. */
export const listed = (items: readonly string[]): string =>
  items.length <= mostNamed
    ? items.join(', ')
    : `${items.slice(0, mostNamed).join(', ')} and ${items.length - mostNamed} more`;
