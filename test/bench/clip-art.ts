/** Pictures of Debian's package openclipart-png (public domain), in four groups of five classes. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { toTensor } from '../../shared/image/tensor.ts';
import type { Sample } from '../../trainers/embedded/evaluate.ts';

/** Each class is a folder below that of the package. */
export const clipArtGroups: Record<string, string[]> = {
  A: ['computer/icons', 'shapes/stars', 'signs_and_symbols/flags', 'animals/mammals', 'people'],
  B: ['transportation/vehicles', 'food/fruit', 'recreation/music', 'tools', 'buildings'],
  C: ['people/clothing', 'food/desserts', 'recreation/sports', 'plants', 'office'],
  D: ['animals', 'food', 'people', 'transportation', 'tools'],
};

const digest = (of: string | Buffer): string => createHash('sha256').update(of).digest('hex');

/** Files of a class, in an order that does not follow their names and is always the same. */
async function filesOf(root: string, folder: string): Promise<string[]> {
  const entries = await readdir(path.join(root, folder), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.png'));
  const names = files.map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)));
  return names.sort((a, b) => (digest(a) < digest(b) ? -1 : 1));
}

/** At most `most` different pictures of each class of a group, in colour, `side` pixels square; damaged ones are left out. */
export async function readClipArt(root: string, group: string, most: number, side: number): Promise<Sample[]> {
  const samples: Sample[] = [];
  const seen = new Set<string>();
  for (const [label, folder] of (clipArtGroups[group] ?? []).entries()) {
    let taken = 0;
    for (const name of await filesOf(root, folder)) {
      if (taken === most) break;
      const bytes = await readFile(path.join(root, name));
      const pixels = await toTensor(bytes, { width: side, height: side, channels: 3 }).catch(() => undefined);
      if (pixels === undefined || seen.has(digest(bytes))) continue;
      seen.add(digest(bytes));
      taken++;
      samples.push({ pixels: Uint8Array.from(pixels), label, md5: createHash('md5').update(bytes).digest('hex') });
    }
  }
  return samples;
}
