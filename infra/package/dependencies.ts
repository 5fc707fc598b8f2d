/** Which installed packages the deployed app needs: those that are not in its bundle, for the machines that run it. */
import path from 'node:path';
import * as z from 'zod';

/** Flex Consumption runs on this. */
export const target = { os: 'linux', cpu: 'x64', libc: 'glibc' } as const;

/** Its install script downloads CUDA libraries with these; nothing else does, and nothing is installed in Azure. */
const installOnly = new Set(['adm-zip', 'global-agent']);

const names = z.record(z.string(), z.string()).optional();
/** as package.json may have it: some packages write one name without a list */
const platforms = z
  .union([z.string(), z.array(z.string())])
  .transform((one) => (typeof one === 'string' ? [one] : one))
  .optional();
const lockedPackage = z.looseObject({
  version: z.string().optional(),
  dependencies: names,
  optionalDependencies: names,
  os: platforms,
  cpu: platforms,
  libc: platforms,
});
const lockfile = z.looseObject({ packages: z.record(z.string(), lockedPackage) });

/** Reads a package-lock.json (version 3). */
export const readLockfile = (text: string): z.infer<typeof lockfile> => lockfile.parse(JSON.parse(text));

const fits = ({ os, cpu, libc }: z.infer<typeof lockedPackage>): boolean =>
  (os?.includes(target.os) ?? true) && (cpu?.includes(target.cpu) ?? true) && (libc?.includes(target.libc) ?? true);

/**
 * Paths in `node_modules/...` form of the packages with these names and of all they depend on, with their versions,
 * in order. Throws for a dependency that is not in the lockfile.
 */
export function productionPackages(lock: z.infer<typeof lockfile>, roots: string[]): Map<string, string> {
  const found = new Map<string, string>();
  const visit = (name: string, from: string, optional: boolean): void => {
    const place = resolve(lock, name, from);
    const locked = place === undefined ? undefined : lock.packages[place];
    if (place === undefined || locked === undefined) {
      if (optional) return;
      throw new Error(`package-lock.json has no ${name}, which ${from || 'the app'} needs: run npm install`);
    }
    if (installOnly.has(name) || found.has(place) || !fits(locked)) return;
    found.set(place, locked.version ?? '');
    for (const dependency of Object.keys(locked.dependencies ?? {})) visit(dependency, place, false);
    for (const dependency of Object.keys(locked.optionalDependencies ?? {})) visit(dependency, place, true);
  };
  for (const root of roots) visit(root, '', false);
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The package that `require(name)` finds in the package at `from`: the nearest node_modules that has it. */
function resolve(lock: z.infer<typeof lockfile>, name: string, from: string): string | undefined {
  for (let folder = from; ; folder = parentOf(folder)) {
    const place = path.posix.join(folder, 'node_modules', name);
    if (place in lock.packages) return place;
    if (folder === '') return undefined;
  }
}

function parentOf(place: string): string {
  const at = place.lastIndexOf('/node_modules/');
  return at === -1 ? '' : place.slice(0, at);
}

const licence = /licen[cs]e|notice|copying/i;
const development = /\.(ts|mts|cts|map|md|cc|h|gyp|gypi|tsbuildinfo)$/i;
const otherPlatform = /^bin\/napi-v\d+\/(?!linux\/x64\/)/;

/** Whether a file of a package is needed where the app runs; licences are, wherever the package goes. */
export const isNeeded = (file: string): boolean =>
  licence.test(path.posix.basename(file)) || !(development.test(file) || otherPlatform.test(file));
