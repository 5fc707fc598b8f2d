/** An id that others derived from it are not longer than `length`: what is longer keeps its beginning and its digest. */
export declare const shortened: (id: string, length: number) => string;
/** The first `length` hex digits of sha-256 over the parts, joined by newlines (which no part contains). */
export declare function digestOf(length: number, ...parts: string[]): string;
