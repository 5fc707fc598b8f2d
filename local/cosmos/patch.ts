/** Partial updates (https://learn.microsoft.com/azure/cosmos-db/partial-document-update). */
import * as z from 'zod';
import { badRequest } from './failure.ts';
import { isObject } from './query/values.ts';

/** the service's own limit */
const maxOperations = 10;

const path = z.string().startsWith('/').min(2);
const operation = z.discriminatedUnion('op', [
  z.object({ op: z.enum(['add', 'set', 'replace']), path, value: z.unknown() }),
  z.object({ op: z.literal('remove'), path }),
  z.object({ op: z.enum(['incr', 'increment']), path, value: z.number() }),
  z.object({ op: z.literal('move'), path, from: path }),
]);
const patchBody = z.union([
  z.array(operation).transform((operations) => ({ operations, condition: undefined })),
  z.object({ operations: z.array(operation), condition: z.string().optional() }),
]);
export type PatchBody = z.infer<typeof patchBody>;
type Container = Record<string, unknown> | unknown[];

/** Checks the body of a PATCH. Throws 400. */
export function parsePatch(body: unknown): PatchBody {
  const parsed = patchBody.safeParse(body);
  if (!parsed.success) throw badRequest(`The patch is not valid: ${z.prettifyError(parsed.error)}`);
  if (parsed.data.operations.length > maxOperations)
    throw badRequest(`A patch has at most ${maxOperations} operations`);
  return parsed.data;
}

/** Names of a JSON pointer. */
const names = (pointer: string): string[] =>
  pointer
    .split('/')
    .slice(1)
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));

const invalid = (pointer: string): Error => badRequest(`The path '${pointer}' of the patch does not exist`);

function indexIn(array: unknown[], name: string, pointer: string, end: number): number {
  const index = name === '-' ? array.length : Number(name);
  if (!/^(?:-|0|[1-9]\d*)$/.test(name) || index > end) throw invalid(pointer);
  return index;
}

function read(target: Container, name: string): unknown {
  if (Array.isArray(target)) return /^\d+$/.test(name) ? (target[Number(name)] as unknown) : undefined;
  return Object.hasOwn(target, name) ? target[name] : undefined;
}

/** The object or array that holds what the pointer names, and the name in it. */
function locate(document: Container, pointer: string): { target: Container; name: string } {
  const all = names(pointer);
  let target = document;
  for (const name of all.slice(0, -1)) {
    const next = read(target, name);
    if (!isObject(next) && !Array.isArray(next)) throw invalid(pointer);
    target = next;
  }
  return { target, name: all.at(-1) ?? '' };
}

function define(target: Record<string, unknown>, name: string, value: unknown): void {
  // plain assignment would call the setter of __proto__
  Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true });
}

/** `add` inserts into arrays, `set` overwrites; both create what is missing in an object */
function put(document: Container, pointer: string, value: unknown, insert: boolean): void {
  const { target, name } = locate(document, pointer);
  if (!Array.isArray(target)) return define(target, name, value);
  const index = indexIn(target, name, pointer, target.length);
  target.splice(index, insert ? 0 : 1, value);
}

function take(document: Container, pointer: string): unknown {
  const { target, name } = locate(document, pointer);
  const value = read(target, name);
  if (value === undefined) throw invalid(pointer);
  if (Array.isArray(target)) target.splice(Number(name), 1);
  else delete target[name];
  return value;
}

function increment(document: Container, pointer: string, by: number): void {
  const { target, name } = locate(document, pointer);
  const before = read(target, name);
  if (before !== undefined && typeof before !== 'number') throw badRequest(`'${pointer}' is not a number`);
  put(document, pointer, (before ?? 0) + by, false);
}

/** Applies operations in order to a document of its own; throws 400 when a path does not exist. */
export function applyPatch(document: Record<string, unknown>, operations: PatchBody['operations']): void {
  for (const operation of operations) {
    const protectedPath = /^\/(?:id|_rid|_self|_etag|_attachments|_ts)$/;
    if (protectedPath.test(operation.path)) throw badRequest(`'${operation.path}' cannot be patched`);
    if (operation.op === 'move') {
      if (operation.path.startsWith(`${operation.from}/`)) throw badRequest('A value cannot be moved into itself');
      if (protectedPath.test(operation.from)) throw badRequest(`'${operation.from}' cannot be patched`);
      put(document, operation.path, take(document, operation.from), false);
    } else if (operation.op === 'remove') take(document, operation.path);
    else if (operation.op === 'incr' || operation.op === 'increment')
      increment(document, operation.path, operation.value);
    else {
      if (
        operation.op === 'replace' &&
        read(locate(document, operation.path).target, names(operation.path).at(-1) ?? '') === undefined
      ) {
        throw invalid(operation.path);
      }
      put(document, operation.path, operation.value, operation.op === 'add');
    }
  }
}
