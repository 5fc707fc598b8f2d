/**
 * `npm run package:trainer`: makes dist/trainer, which is what trainers/embedded/Dockerfile puts into the image: the trainer as one
 * file, the pretrained backbone, and what cannot be bundled, for linux-x64. `node dist/trainer/main.mjs` is the job.
 */
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { isNeeded, productionPackages, readLockfile } from './dependencies.ts';
import { locatePackages } from './installed.ts';
import { pretrained } from './pretrained.ts';

const root = path.resolve(import.meta.dirname, '../..');
const target = path.join(root, 'dist/trainer');
/** they find their native files beside themselves */
const unbundled = ['sharp', 'onnxruntime-node'];

async function copyNeeded(from: string, to: string): Promise<void> {
  for (const entry of await readdir(from, { recursive: true, withFileTypes: true })) {
    const file = path.relative(from, path.join(entry.parentPath, entry.name));
    const name = file.replaceAll(path.sep, '/');
    // CUDA comes from another place, if at all: install-metadata.js of onnxruntime-node names it
    if (!entry.isFile() || name.startsWith('node_modules/') || !isNeeded(name)) continue;
    await mkdir(path.dirname(path.join(to, file)), { recursive: true });
    await cp(path.join(from, file), path.join(to, file));
  }
}

const scratch = await mkdtemp(path.join(tmpdir(), 'darkroom-trainer-'));
try {
  await rm(target, { recursive: true, force: true });
  await mkdir(target, { recursive: true });
  await build({
    absWorkingDir: root,
    entryPoints: { main: 'trainers/embedded/main.ts' },
    outdir: target,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    target: 'node22',
    format: 'esm',
    external: unbundled,
    keepNames: true,
    minifyWhitespace: true,
    minifySyntax: true,
    logLevel: 'warning',
  });
  const lock = readLockfile(await readFile(path.join(root, 'package-lock.json'), 'utf8'));
  for (const [place, folder] of await locatePackages(root, lock, productionPackages(lock, unbundled), scratch))
    await copyNeeded(folder, path.join(target, place));
  await cp(path.join(root, pretrained.source), path.join(target, pretrained.besideBundle), { recursive: true });
  await cp(path.join(root, 'LICENSE'), path.join(target, 'LICENSE'));
  await writeFile(
    path.join(target, 'package.json'),
    `${JSON.stringify({ name: 'darkroom-trainer', type: 'module' })}\n`,
  );
  console.log(path.relative(process.cwd(), target));
} finally {
  await rm(scratch, { recursive: true, force: true });
}
