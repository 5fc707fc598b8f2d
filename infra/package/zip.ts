import { zipSync } from 'fflate';

/** the same whenever it is packed; zip counts from this day, in local time */
const mtime = new Date(1980, 0, 1);
const unix = 3;
/** a file that everybody may read */
const attrs = 0o100644 * 0x1_00_00;

/**
 * Packs files by name (`/` between folders) into a zip whose bytes depend on nothing but names and contents: no clock, no
 * owner, names in order, and the same compression on every Node. `read` is called for one file after the other.
 */
export async function zip(names: string[], read: (name: string) => Promise<Buffer>): Promise<Buffer> {
  const files: [string, Buffer][] = [];
  for (const name of [...names].sort()) files.push([name, await read(name)]);
  return Buffer.from(zipSync(Object.fromEntries(files), { level: 9, mtime, os: unix, attrs }));
}
