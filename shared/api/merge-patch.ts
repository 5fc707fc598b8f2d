/** JSON Merge Patch (RFC 7396): an object says which members change, null takes one away, and the rest stays. */
import * as z from 'zod';

type Members = Record<string, unknown>;

const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Applies a patch. Both are JSON; neither is changed. Recursion ends where the patch does, which its schema bounds. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged = new Map(Object.entries(isObject(target) ? target : {}));
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name);
    else merged.set(name, mergePatch(merged.get(name), value));
  }
  return Object.fromEntries(merged);
}

/** What a patch of something may say: every member of every object or nothing of it, and null for what is to have its default. */
export function patchOf(type: z.ZodType): z.ZodType {
  if (type instanceof z.ZodDefault || type instanceof z.ZodPrefault || type instanceof z.ZodOptional)
    return patchOf(type.unwrap() as z.ZodType);
  if (type instanceof z.ZodNullable) return patchOf(type.unwrap() as z.ZodType).nullable();
  if (type instanceof z.ZodRecord)
    return z.record(type.keyType as z.ZodString, (type.valueType as z.ZodType).nullable());
  if (type instanceof z.ZodDiscriminatedUnion) return patchOfAny(type.options as z.ZodObject[]);
  if (!(type instanceof z.ZodObject)) return type;
  const shape = type.shape as Record<string, z.ZodType>;
  const members = Object.entries(shape).map(([name, member]) => [name, patchOf(member).nullable().optional()] as const);
  return z.strictObject(Object.fromEntries(members));
}

/** A patch of one of several objects: each member as some of them have it. What is made by it is held to one of them. */
function patchOfAny(objects: readonly z.ZodObject[]): z.ZodType {
  const types = new Map<string, Set<z.ZodType>>();
  for (const { shape } of objects)
    for (const [name, member] of Object.entries(shape as Record<string, z.ZodType>))
      types.set(name, (types.get(name) ?? new Set()).add(member));
  const members = [...types].map(([name, some]) => {
    const patches = [...some].map((one) => patchOf(one));
    const patch = patches.length === 1 ? patches[0] : z.union(patches);
    return [name, (patch ?? z.never()).nullable().optional()] as const;
  });
  return z.strictObject(Object.fromEntries(members));
}

/** deeper than anything that is asked for: what nests on is refused as it is */
const maxDepth = 16;

/** The same without the members that are null: for a field that may be left out, null means that it is. */
export function withoutNulls(value: unknown, depth = 0): unknown {
  if (depth > maxDepth) return value;
  if (Array.isArray(value)) return value.map((item) => withoutNulls(item, depth + 1));
  if (!isObject(value)) return value;
  const members = Object.entries(value).filter(([, member]) => member !== null);
  return Object.fromEntries(members.map(([name, member]) => [name, withoutNulls(member, depth + 1)]));
}
