/** Equality and order of JSON values as Cosmos DB defines them; `undefined` is the value of what is missing. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Position of a value's type: undefined, null, boolean, number, string, array, object. */
export function rank(value: unknown): number {
  if (value === undefined) return 0;
  if (value === null) return 1;
  if (typeof value === 'boolean') return 2;
  if (typeof value === 'number') return 3;
  if (typeof value === 'string') return 4;
  return Array.isArray(value) ? 5 : 6;
}

const surrogate = /[\ud800-\udfff]/;

/** Code point order, which is the order of UTF-8 bytes and so the one SQLite keeps. */
function compareText(a: string, b: string): number {
  if (a === b) return 0;
  if (surrogate.test(a) || surrogate.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : 1;
}

/** Total order over types, then values; arrays and objects are not ordered among themselves. */
export function compare(a: unknown, b: unknown): number {
  const byType = rank(a) - rank(b);
  if (byType !== 0) return byType;
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  if (typeof a === 'number' || typeof a === 'boolean') return Number(a) - Number(b);
  return 0;
}

function deepEqual(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((v, i) => deepEqual(v, b[i]));
  if (isObject(a) && isObject(b)) {
    const keys = Object.keys(a);
    return keys.length === Object.keys(b).length && keys.every((k) => Object.hasOwn(b, k) && deepEqual(a[k], b[k]));
  }
  return a === b;
}

/** `=`: undefined when either side is missing, false between types. */
export function equals(a: unknown, b: unknown): boolean | undefined {
  return a === undefined || b === undefined ? undefined : deepEqual(a, b);
}

/** ARRAY_CONTAINS with the partial flag: every property of `part` is in `whole`. */
export function includesPart(whole: unknown, part: unknown): boolean {
  if (!isObject(whole) || !isObject(part)) return deepEqual(whole, part);
  return Object.keys(part).every((k) => Object.hasOwn(whole, k) && includesPart(whole[k], part[k]));
}
