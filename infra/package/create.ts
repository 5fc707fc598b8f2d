/** Makes the package that is deployed: the bundle, host.json, a manifest, and what cannot be bundled, for linux-x64. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as z from 'zod';
import { bundleApp, unbundled } from '../../local/build.ts';
import { isNeeded, productionPackages, readLockfile } from './dependencies.ts';
import { locatePackages } from './installed.ts';
import { pretrained } from './pretrained.ts';
import { zip } from './zip.ts';

const manifest = z.object({
  name: z.string(),
  version: z.string(),
  license: z.string(),
  type: z.string(),
  main: z.string(),
  engines: z.record(z.string(), z.string()),
  dependencies: z.record(z.string(), z.string()),
});

/** Azure refuses nothing of this size, but every instance that starts downloads and unpacks it. */
export const maxPackageBytes = 60 * 1024 * 1024;

/** What goes into the package, by its name there. */
type Contents = Map<string, { file: string } | { text: string }>;

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map((one) => path.relative(folder, path.join(one.parentPath, one.name)).replaceAll(path.sep, '/'));
}

/**
 * Collects what is deployed from a checkout, whose bundle is in `built`. `scratch` takes what must be fetched because
 * this machine is of another platform.
 */
export async function packageContents(root: string, built: string, scratch: string): Promise<Contents> {
  const { dependencies, ...about } = manifest.parse(
    JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')),
  );
  const names = unbundled.filter((name) => name in dependencies);
  const kept = Object.fromEntries(names.map((name) => [name, dependencies[name]]));
  const contents: Contents = new Map([
    ['host.json', { file: path.join(root, 'host.json') }],
    ['LICENSE', { file: path.join(root, 'LICENSE') }],
    ['package.json', { text: `${JSON.stringify({ ...about, dependencies: kept }, null, 2)}\n` }],
  ]);
  const entryFolder = path.posix.dirname(about.main);
  for (const file of await filesBelow(built)) {
    if (/\.(mjs|ttf|txt)$/.test(file)) contents.set(`${entryFolder}/${file}`, { file: path.join(built, file) });
  }
  // also for those who are handed a model with its weights
  const backbone = path.join(root, pretrained.source);
  for (const file of await filesBelow(backbone))
    contents.set(`${entryFolder}/${pretrained.besideBundle}/${file}`, { file: path.join(backbone, file) });
  const lock = readLockfile(await readFile(path.join(root, 'package-lock.json'), 'utf8'));
  for (const [place, folder] of await locatePackages(root, lock, productionPackages(lock, names), scratch)) {
    const files = (await filesBelow(folder)).filter((file) => !file.startsWith('node_modules/') && isNeeded(file));
    for (const file of files) contents.set(`${place}/${file}`, { file: path.join(folder, file) });
  }
  return contents;
}

/**
 * Builds and packs a checkout; the same sources give the same bytes. The folder `unpackedInto` gets the same files; what
 * was in it is lost. Throws when the package is larger than it may be.
 */
export async function createPackage(
  root: string,
  unpackedInto?: string,
): Promise<{ bytes: Buffer; contents: Contents }> {
  const work = await mkdtemp(path.join(tmpdir(), 'darkroom-package-'));
  try {
    const built = path.join(work, 'built');
    await bundleApp(built, root);
    const contents = await packageContents(root, built, path.join(work, 'fetched'));
    const read = async (name: string): Promise<Buffer> => {
      const source = contents.get(name);
      if (source === undefined) throw new Error(`nothing is known of ${name}`);
      return 'text' in source ? Buffer.from(source.text) : readFile(source.file);
    };
    const bytes = await zip([...contents.keys()], read);
    if (bytes.length > maxPackageBytes)
      throw new Error(
        `the package has ${bytes.length} bytes, more than ${maxPackageBytes}: see what was added with \`unzip -lv\``,
      );
    if (unpackedInto !== undefined) {
      await rm(unpackedInto, { recursive: true, force: true });
      for (const name of contents.keys()) {
        await mkdir(path.dirname(path.join(unpackedInto, name)), { recursive: true });
        await writeFile(path.join(unpackedInto, name), await read(name));
      }
    }
    return { bytes, contents };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
