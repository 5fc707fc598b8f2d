/** Partition keys: as values, as paths, and as the text under which documents are stored. */
import * as z from 'zod';
import { badRequest, Failure } from './failure.ts';
import { isObject } from './query/values.ts';

/** `{}` in the wire form stands for a document without the property */
const component = z.union([z.string(), z.number(), z.boolean(), z.null(), z.strictObject({})]);
const keyHeader = z.array(component).max(3);

/** What a request addresses: one partition, the partitions under a prefix of a hierarchical key, or all. */
export type Scope = { kind: 'partition'; key: string } | { kind: 'prefix'; key: string } | { kind: 'all' };

/** the service's own limit */
const maxKeyBytes = 2048;

/** Follows `/a/b` through own properties. */
export function valueAt(document: unknown, path: string): unknown {
  let value = document;
  for (const name of path.split('/').slice(1)) {
    if (!isObject(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

/** The stored text of a document's partition key: a JSON array with one value per path. */
export function keyOf(paths: string[], document: unknown): string {
  const values = paths.map((path) => {
    const value = valueAt(document, path);
    if (typeof value === 'object' && value !== null) {
      throw badRequest('Partition key values are strings, numbers, booleans or null');
    }
    return value === undefined ? {} : value;
  });
  return keyText(values);
}

function parse(header: string): unknown[] {
  let value: unknown;
  try {
    value = JSON.parse(header);
  } catch {
    throw badRequest('The partition key header is not JSON');
  }
  const parsed = keyHeader.safeParse(value);
  if (!parsed.success) throw badRequest(`The partition key header is invalid: ${header.slice(0, 100)}`);
  return parsed.data;
}

/** The full key a header names; `[]` is what SDKs send for the missing key of a container with one path. */
export function keyOfHeader(paths: string[], header: string | undefined): string {
  if (header === undefined) throw badRequest('PartitionKey value must be supplied for this operation.');
  const values = parse(header);
  if (values.length === 0 && paths.length === 1) return '[{}]';
  if (values.length !== paths.length) {
    throw new Failure(
      400,
      "Partition key provided either doesn't correspond to definition in the collection or is incomplete",
      1001,
    );
  }
  return keyText(values);
}

/** The text of a key that may be stored. Throws 400. */
function keyText(values: unknown[]): string {
  for (const value of values) {
    if (typeof value !== 'string' || Buffer.byteLength(value) <= maxKeyBytes) continue;
    throw badRequest(`The partition key has more than ${maxKeyBytes} bytes`);
  }
  return JSON.stringify(values);
}

/** What a query or feed reads under this header. */
export function scopeOfHeader(paths: string[], header: string | undefined): Scope {
  if (header === undefined) return { kind: 'all' };
  const values = parse(header);
  if (values.length > 0 && values.length < paths.length)
    return { kind: 'prefix', key: `${JSON.stringify(values).slice(0, -1)},` };
  return { kind: 'partition', key: keyOfHeader(paths, header) };
}
