/** A request on its way to the wire, and what may be wrong with one. */
import type { Random } from '../random.ts';

export interface Draft {
  method: string;
  /** parts of the path, encoded */
  path: string;
  /** name and value, encoded */
  query: [string, string][];
  headers: [string, string | Buffer][];
  body: Buffer;
  version: string;
  /** adds Content-Length; off where the length is what is wrong */
  announced: boolean;
  /** the client goes away before it has sent what it said */
  leaves: boolean;
}

/** Something wrong, in words, and how a draft gets it. */
export type Wrong = readonly [what: string, change: (draft: Draft, random: Random) => void];

const oddTexts = [
  '',
  ' ',
  '\0',
  'a\0b',
  '..',
  '../../../etc/passwd',
  '..\\..\\windows',
  '%00',
  '%2e%2e%2f',
  '%c0%af',
  '😀',
  '👩‍👩‍👧‍👦',
  '\u202egnp.exe',
  'ＤＩＧＩＴＳ',
  'Ä\u0308',
  '\ufffe',
  '\ud800',
  "' OR 1=1 --",
  '"; DROP c; --',
  '{"$ne":null}',
  '${7*7}',
  '<script>alert(1)</script>',
  '__proto__',
  'constructor',
  'toString',
  'NaN',
  '-1',
  '1e999',
  '0x10',
  '9007199254740993',
  'null',
  'undefined',
  'true',
  '\r\nx: y',
  'head',
  'x'.repeat(101),
  'x'.repeat(1024),
  '猫'.repeat(400),
] as const;

/** A text that somebody did not think of. */
export const oddText = (random: Random): string => random.pick(oddTexts);

/** Percent-encodes what it can; lone surrogates become the bytes that nobody may send. */
export function encoded(text: string): string {
  return text.isWellFormed() ? encodeURIComponent(text) : '%ed%a0%80';
}

/** A value of a type that nobody asked for. */
export const oddValue = (random: Random): unknown =>
  random.pick<unknown>([
    null,
    true,
    0,
    -1,
    1.5,
    1e308,
    Number.MAX_SAFE_INTEGER + 2,
    [],
    {},
    [[[]]],
    { a: 1 },
    oddText(random),
    Array.from({ length: 2000 }, () => 'x'),
    'y'.repeat(20_000),
  ]);
