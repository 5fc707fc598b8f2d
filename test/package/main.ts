/** Step of `npm run verify`: makes the package as it is deployed and shows that it is what it should be. */
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createPackage } from '../../infra/package/create.ts';

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

const folder = await mkdtemp(path.join(tmpdir(), 'darkroom-verify-package-'));
try {
  const { bytes, contents } = await createPackage(root);
  console.log(`package: ${(bytes.length / 1024 / 1024).toFixed(1)} MB, ${contents.size} files`);
  const again = await createPackage(await checkoutIn(path.join(folder, 'elsewhere')));
  if (!again.bytes.equals(bytes)) throw new Error('the same sources in another folder gave another package');
  console.log('the same sources in another folder give the same bytes');
} finally {
  await rm(folder, { recursive: true, force: true });
}
