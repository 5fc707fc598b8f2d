/** The files of a folder `<label>/<file>`: which of them the demo can use, and what it leaves out. */
import { createHash } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { className } from '../../shared/names.ts';
import { counted } from './counted.ts';
import type { Picture } from './pictures.ts';

export interface ImageFile {
  path: string;
  /** as it is uploaded */
  name: string;
  contentType: Picture['contentType'];
}

/** Something that is not used: what it is, in the singular and the plural, and where it is in the folder. */
export interface Skipped {
  kind: readonly [one: string, many: string];
  path: string;
}

export interface FolderFiles {
  labels: { label: string; files: ImageFile[] }[];
  skipped: Skipped[];
}

const typeOf: Record<string, Picture['contentType']> = {
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.webp': 'image/webp',
  '.tif': 'image/tiff',
  '.tiff': 'image/tiff',
};
export const expectedFolder = 'Expected a folder of `<label>/<file>` with JPEG, PNG, WebP or TIFF images';
const maxNameLength = 200;
/** what would do something to a terminal */
const unprintables = /\p{Cc}|\p{Cs}/gu;
/** kinds that are told one by one */
const shownKinds = 12;

const hidden = ['file or folder with a hidden name', 'files and folders with hidden names'] as const;
const link = ['symbolic link, which is not followed', 'symbolic links, which are not followed'] as const;
const outside = ['file outside the label folders', 'files outside the label folders'] as const;
const nested = ['file in a folder inside a label folder', 'files in folders inside label folders'] as const;
const special = ['special file', 'special files'] as const;
const emptyFolder = ['label folder with nothing in it', 'label folders with nothing in them'] as const;
const noExtension = ['file without an extension', 'files without an extension'] as const;

/** By the extension, as far as it is one. */
function kindOf(name: string): Skipped['kind'] {
  const extension = path.extname(name).toLowerCase();
  if (extension === '') return noExtension;
  const shown = extension.length > 12 || !/^\.[\p{L}\p{N}_-]+$/u.test(extension) ? 'other' : extension;
  return [`${shown} file`, `${shown} files`];
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => !entry.isDirectory()).map((entry) => path.join(entry.parentPath, entry.name));
}

/** A name that the API would refuse says nothing that the demo needs. */
function plainName(name: string, extension: string): string {
  const isPlain = name.length <= maxNameLength && /^[\w.() -]+$/u.test(name);
  return isPlain ? name : `${createHash('sha256').update(name).digest('hex').slice(0, 20)}${extension}`;
}

async function fileOf(entry: Dirent): Promise<ImageFile | Skipped[]> {
  const { name } = entry;
  const place = path.join(entry.parentPath, name);
  if (name.startsWith('.')) return [{ kind: hidden, path: place }];
  if (entry.isSymbolicLink()) return [{ kind: link, path: place }];
  if (entry.isDirectory()) return (await filesBelow(place)).map((file) => ({ kind: nested, path: file }));
  if (!entry.isFile()) return [{ kind: special, path: place }];
  const extension = path.extname(name).toLowerCase();
  const contentType = typeOf[extension];
  if (contentType === undefined) return [{ kind: kindOf(name), path: place }];
  return { path: place, name: plainName(name, extension), contentType };
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const seen =
      { ENOENT: `there is no ${folder}`, ENOTDIR: `${folder} is not a folder` }[code ?? ''] ??
      `${folder} cannot be read (${code ?? message})`;
    throw new Error(`${expectedFolder}; seen: ${seen}.`, { cause });
  }
}

/** What one label folder holds. Throws when that is something, yet nothing that can be used. */
async function labelFiles(folder: string): Promise<{ files: ImageFile[]; skipped: Skipped[] }> {
  const files: ImageFile[] = [];
  let skipped: Skipped[] = [];
  for (const entry of await entriesOf(folder)) {
    const found = await fileOf(entry);
    if (Array.isArray(found)) skipped = skipped.concat(found);
    else files.push(found);
  }
  if (files.length > 0) return { files, skipped };
  const visible = skipped.filter(({ kind }) => kind !== hidden);
  if (visible.length === 0) return { files, skipped: [...skipped, { kind: emptyFolder, path: folder }] };
  throw new Error(
    `${expectedFolder}; seen: ${folder} has none, only ${kindsOf(visible).join('; ')}. ` +
      'Convert or move them, or take that folder away.',
  );
}

/** Reads a folder's names. Throws where it cannot be read, and where a label folder has files and no image. */
export async function listFolder(folder: string): Promise<FolderFiles> {
  const found: FolderFiles = { labels: [], skipped: [] };
  for (const entry of await entriesOf(folder)) {
    const { name } = entry;
    if (!entry.isDirectory() || name.startsWith('.')) {
      const kind = name.startsWith('.') ? hidden : entry.isSymbolicLink() ? link : outside;
      found.skipped.push({ kind, path: name });
      continue;
    }
    const label = name.normalize('NFC');
    if (!className.safeParse(label).success)
      throw new Error(`${JSON.stringify(name)} cannot be a label. Rename that folder.`);
    if (found.labels.some((one) => one.label === label))
      throw new Error(`Two folders of ${folder} stand for the label "${label}". Put their files into one.`);
    const { files, skipped } = await labelFiles(path.join(folder, name));
    for (const one of skipped) found.skipped.push({ kind: one.kind, path: path.relative(folder, one.path) });
    if (files.length > 0) found.labels.push({ label, files });
  }
  return found;
}

/** What is skipped, counted by kind, most first: e.g. `12 .heic files, e.g. cat/1.heic`. */
export function kindsOf(skipped: Skipped[]): string[] {
  const byKind = [...Map.groupBy(skipped, ({ kind }) => kind[0]).values()].sort((a, b) => b.length - a.length);
  const lines = byKind.slice(0, shownKinds).map((some) => {
    const { kind = special, path: place = '' } = some[0] ?? {};
    return `${counted(some.length, ...kind)}${some.length === 1 ? ':' : ', e.g.'} ${place.replaceAll(unprintables, '?')}`;
  });
  const rest = byKind.slice(shownKinds).flat().length;
  return rest === 0 ? lines : [...lines, counted(rest, 'file of another kind', 'files of other kinds')];
}
