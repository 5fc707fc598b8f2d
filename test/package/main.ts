/** Step of `npm run verify`: makes the package as it is deployed and shows that it is what it should be. */
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createPackage } from '../../infra/package/create.ts';
import { unzip } from '../infra/package/unzip.ts';
import { runKeyless } from './keyless.ts';

const root = path.resolve(import.meta.dirname, '../..');

/** The sources that a package is made of, in another folder; node_modules is linked. */
async function checkoutIn(folder: string): Promise<string> {
  for (const part of [
    'functions',
    'shared',
    'package.json',
    'package-lock.json',
    'tsconfig.json',
    'host.json',
    'LICENSE',
  ])
    await cp(path.join(root, part), path.join(folder, part), { recursive: true });
  await symlink(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
  return folder;
}

/** Unpacks it as Azure does. */
async function unpack(bytes: Buffer, into: string): Promise<void> {
  for (const { name, body } of unzip(bytes)) {
    await mkdir(path.dirname(path.join(into, name)), { recursive: true });
    await writeFile(path.join(into, name), body);
  }
}

const folder = await mkdtemp(path.join(tmpdir(), 'darkroom-verify-package-'));
try {
  const { bytes, contents } = await createPackage(root);
  // where `npm run package` leaves it, and the commands of a deployment find it
  await mkdir(path.join(root, 'dist'), { recursive: true });
  await writeFile(path.join(root, 'dist/darkroom.zip'), bytes);
  console.log(`package: ${(bytes.length / 1024 / 1024).toFixed(1)} MB, ${contents.size} files`);
  const again = await createPackage(await checkoutIn(path.join(folder, 'elsewhere')));
  if (!again.bytes.equals(bytes)) throw new Error('the same sources in another folder gave another package');
  console.log('the same sources in another folder give the same bytes');
  const app = path.join(folder, 'wwwroot');
  await unpack(bytes, app);
  await runKeyless(app, path.join(folder, 'data'));
} finally {
  await rm(folder, { recursive: true, force: true });
}
