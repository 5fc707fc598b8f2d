/** Snapshots: every resource that a deployment would make, with names, loops and conditions resolved. */
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';

const resource = z.looseObject({ id: z.string(), type: z.string(), name: z.string() });
const snapshot = z.object({ predictedResources: z.array(resource) });

export type Resource = z.infer<typeof resource>;
export type Snapshot = z.infer<typeof snapshot>;

/** Reads a snapshot. The compiler's order of resources varies; theirs is by id, so that changes can be read. */
export function readSnapshot(text: string): Snapshot {
  const { predictedResources } = snapshot.parse(JSON.parse(text));
  return { predictedResources: predictedResources.toSorted((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)) };
}

/** A snapshot as its file has it. */
export const writeSnapshot = (one: Snapshot): string => `${JSON.stringify(one, undefined, 2)}\n`;

const label = ({ type, name }: Resource): string => `${type} ${name}`;

/** Says which resources two snapshots differ in. */
export function compare(before: Snapshot, after: Snapshot): string[] {
  const known = new Map(before.predictedResources.map((one) => [one.id, one]));
  const said: string[] = [];
  for (const one of after.predictedResources) {
    const old = known.get(one.id);
    known.delete(one.id);
    if (old === undefined) said.push(`added: ${label(one)}`);
    else if (!isDeepStrictEqual(old, one)) said.push(`changed: ${label(one)}`);
  }
  for (const gone of known.values()) said.push(`removed: ${label(gone)}`);
  return said;
}
