/** Numbers with their nouns. */

/** e.g. `1 image` or `20 images`. */
export const counted = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`;
