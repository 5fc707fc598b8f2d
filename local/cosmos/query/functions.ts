/**
 * Built-in functions (https://learn.microsoft.com/cosmos-db/query/functions). An argument of the wrong type, or a missing
 * one, gives undefined. Only what is listed here exists; other names are refused when a query is compiled.
 */
import { compare, equals, includesPart, isObject, rank } from './values.ts';

type Implementation = (...values: unknown[]) => unknown;
interface BuiltIn {
  least: number;
  most: number;
  run: Implementation;
}

const text =
  (run: (value: string) => unknown): Implementation =>
  (value) =>
    typeof value === 'string' ? run(value) : undefined;
const number =
  (run: (value: number) => number): Implementation =>
  (value) =>
    typeof value === 'number' ? finite(run(value)) : undefined;
const finite = (value: number): number | undefined => (Number.isFinite(value) ? value : undefined);

/** two strings, and whether to ignore case */
const texts =
  (run: (a: string, b: string) => unknown): Implementation =>
  (a, b, ignoreCase = false) => {
    if (typeof a !== 'string' || typeof b !== 'string' || typeof ignoreCase !== 'boolean') return undefined;
    return ignoreCase ? run(a.toLowerCase(), b.toLowerCase()) : run(a, b);
  };

const wholeNumber = (value: unknown): value is number => Number.isInteger(value);

function arrayContains(array: unknown, wanted: unknown, partial: unknown = false): unknown {
  if (!Array.isArray(array) || wanted === undefined || typeof partial !== 'boolean') return undefined;
  return array.some((value) => (partial ? includesPart(value, wanted) : equals(value, wanted) === true));
}

function arraySlice(array: unknown, from: unknown, length: unknown = Number.MAX_SAFE_INTEGER): unknown {
  if (!Array.isArray(array) || !wholeNumber(from) || !wholeNumber(length)) return undefined;
  const start = from < 0 ? Math.max(0, array.length + from) : from;
  return array.slice(start, start + Math.max(0, length));
}

function concat(...parts: unknown[]): unknown {
  return parts.every((part) => typeof part === 'string') ? parts.join('') : undefined;
}

function substring(value: unknown, from: unknown, length: unknown): unknown {
  if (typeof value !== 'string' || !wholeNumber(from) || !wholeNumber(length)) return undefined;
  return from < 0 ? '' : value.slice(from, from + Math.max(0, length));
}

function toText(value: unknown): unknown {
  if (value === undefined) return undefined;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

const is = (test: (value: unknown) => boolean): BuiltIn => ({ least: 1, most: 1, run: test });
const one = (run: Implementation): BuiltIn => ({ least: 1, most: 1, run });
const twoTexts = (run: (a: string, b: string) => unknown): BuiltIn => ({ least: 2, most: 3, run: texts(run) });

const functions: Record<string, BuiltIn> = {
  IS_DEFINED: is((value) => value !== undefined),
  IS_NULL: is((value) => value === null),
  IS_BOOL: is((value) => typeof value === 'boolean'),
  IS_NUMBER: is((value) => typeof value === 'number'),
  IS_INTEGER: is((value) => Number.isInteger(value)),
  IS_STRING: is((value) => typeof value === 'string'),
  IS_ARRAY: is((value) => Array.isArray(value)),
  IS_OBJECT: is(isObject),
  IS_PRIMITIVE: is((value) => rank(value) >= 1 && rank(value) <= 4),
  STARTSWITH: twoTexts((a, b) => a.startsWith(b)),
  ENDSWITH: twoTexts((a, b) => a.endsWith(b)),
  CONTAINS: twoTexts((a, b) => a.includes(b)),
  STRINGEQUALS: twoTexts((a, b) => a === b),
  INDEX_OF: { least: 2, most: 2, run: texts((a, b) => a.indexOf(b)) },
  LOWER: one(text((value) => value.toLowerCase())),
  UPPER: one(text((value) => value.toUpperCase())),
  LENGTH: one(text((value) => value.length)),
  TRIM: one(text((value) => value.trim())),
  LTRIM: one(text((value) => value.trimStart())),
  RTRIM: one(text((value) => value.trimEnd())),
  CONCAT: { least: 2, most: 200, run: concat },
  SUBSTRING: { least: 3, most: 3, run: substring },
  LEFT: { least: 2, most: 2, run: (value, length) => substring(value, 0, length) },
  REPLACE: {
    least: 3,
    most: 3,
    run: (value, from, to) =>
      typeof value === 'string' && typeof from === 'string' && typeof to === 'string'
        ? value.replaceAll(from, () => to)
        : undefined,
  },
  TOSTRING: one(toText),
  ARRAY_LENGTH: one((value) => (Array.isArray(value) ? value.length : undefined)),
  ARRAY_CONTAINS: { least: 2, most: 3, run: arrayContains },
  ARRAY_SLICE: { least: 2, most: 3, run: arraySlice },
  ARRAY_CONCAT: {
    least: 2,
    most: 200,
    run: (...arrays) => (arrays.every((array) => Array.isArray(array)) ? arrays.flat() : undefined),
  },
  ABS: one(number(Math.abs)),
  CEILING: one(number(Math.ceil)),
  FLOOR: one(number(Math.floor)),
  SQRT: one(number(Math.sqrt)),
  SIGN: one(number(Math.sign)),
  GETCURRENTTIMESTAMP: { least: 0, most: 0, run: () => Date.now() },
  GETCURRENTDATETIME: { least: 0, most: 0, run: () => new Date().toISOString().replace('Z', '0000Z') },
};

/** The built-in of a name (upper case), or undefined. */
export function builtIn(name: string): BuiltIn | undefined {
  return Object.hasOwn(functions, name) ? functions[name] : undefined;
}

/** State of one aggregate over the rows of a group. */
export interface Aggregate {
  add(value: unknown): void;
  /** undefined where the service has no result, e.g. the sum of a string */
  result(): unknown;
}

const extreme = (sign: 1 | -1) => (): Aggregate => {
  let best: unknown;
  return {
    add: (value) => {
      if (value === undefined) return;
      if (best === undefined || compare(value, best) * sign > 0) best = value;
    },
    result: () => (rank(best) > 4 ? undefined : best),
  };
};

/** The aggregates; missing values do not count. */
export const aggregates: Record<string, () => Aggregate> = {
  COUNT: () => {
    let count = 0;
    return { add: (value) => void (count += value === undefined ? 0 : 1), result: () => count };
  },
  SUM: () => {
    let sum: number | undefined = 0;
    const add = (value: unknown) => {
      if (value !== undefined) sum = typeof value === 'number' && sum !== undefined ? sum + value : undefined;
    };
    return { add, result: () => sum };
  },
  AVG: () => {
    let sum: number | undefined = 0;
    let count = 0;
    const add = (value: unknown) => {
      if (value === undefined) return;
      sum = typeof value === 'number' && sum !== undefined ? sum + value : undefined;
      count += 1;
    };
    return { add, result: () => (sum === undefined || count === 0 ? undefined : sum / count) };
  },
  MIN: extreme(-1),
  MAX: extreme(1),
};
