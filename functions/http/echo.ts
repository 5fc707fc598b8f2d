/** What was sent, as an answer repeats it. */

/** how many characters of it */
const maxLength = 200;

/** The beginning of a text, which may be as long as its sender likes. */
export const echo = (text: string): string => text.slice(0, maxLength);
