/** Makes the files that are deployed: functions/app.ts, the threads that run models and the model probe with everything they need, save native and injected modules; and the font that pictures are drawn with. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type BuildOptions, type Plugin } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/** @azure/functions-core is injected by the worker; sharp and onnxruntime-node find their native files beside themselves. */
export const unbundled = ['@azure/functions-core', 'sharp', 'onnxruntime-node'];

/**
 * What CommonJS finds around it, and bundled CommonJS still uses: above all `require` for @azure/functions-core, without
 * which nothing would register.
 */
const banner = [
  "import { createRequire as __createRequire } from 'node:module';",
  'const require = __createRequire(import.meta.url);',
  'const __filename = import.meta.filename, __dirname = import.meta.dirname;',
].join(' ');

/**
 * The SDK of Application Insights asks settings.sdk.monitor.azure.com every hour what to do, which no setting stops. This
 * is the part of it that asks.
 */
const askNobody: Plugin = {
  name: 'ask-nobody',
  setup(bundler) {
    bundler.onLoad({ filter: /[/\\]_configuration[/\\]configurationWorker\.js$/ }, () => ({
      contents: 'export class ConfigurationWorker { shutdown() {} }',
    }));
  },
};

/** Digest of everything that the bundle is made of. */
async function sourcesDigest(): Promise<string> {
  const hash = createHash('sha256');
  const files = ['package-lock.json', 'local/build.ts'];
  for (const name of ['functions', 'shared']) {
    const found = await readdir(path.join(root, name), { recursive: true });
    files.push(...found.filter((file) => /\.(ts|ttf)$/.test(file)).map((file) => path.join(name, file)));
  }
  for (const file of files.sort()) hash.update(`${file}\n`).update(await readFile(path.join(root, file)));
  return hash.digest('hex');
}

/** How every app for the functions host is bundled. */
export const bundling = {
  bundle: true,
  platform: 'node',
  target: 'node22',
  format: 'esm',
  external: unbundled,
  plugins: [askNobody],
  banner: { js: banner },
  // sense and most names stay for stack traces; half the bytes are half the time to read them at a cold start. keepNames
  // would keep all, and call a function for every closure that is made, which is 0.4 ms of a score
  minifyWhitespace: true,
  minifySyntax: true,
  // modules are named by where they are found: the same bytes also where node_modules is a link
  preserveSymlinks: true,
  logLevel: 'silent',
} satisfies BuildOptions;

/** Bundles a checkout's app, its thread and its probe into `outdir`; the same sources give the same bytes. */
export async function bundleApp(outdir: string, sources = root): Promise<void> {
  await build({
    ...bundling,
    absWorkingDir: sources,
    // these are programs of their own, started beside the app: a thread, and a process
    entryPoints: {
      app: 'functions/app.ts',
      worker: 'shared/onnx/worker.ts',
      'probe-child': 'shared/onnx/probe-child.ts',
      // read beside the program that draws with it (shared/image/draw.ts)
      'dejavu-sans': 'shared/image/dejavu-sans.ttf',
      'dejavu-sans-license': 'shared/image/dejavu-sans-license.txt',
    },
    outdir,
    loader: { '.ttf': 'copy', '.txt': 'copy' },
    outExtension: { '.js': '.mjs' },
    // what is imported when it is first used is a file of its own, which a cold start does not read
    splitting: true,
    chunkNames: `${chunkPrefix}[hash]`,
    sourcemap: true,
  });
}

const chunkPrefix = 'chunk-';
const isChunk = (file: string): boolean => file.startsWith(chunkPrefix);
/** A process that starts meanwhile finds whatever the program imports. */
const chunksFirst = (a: string, b: string): number => Number(isChunk(b)) - Number(isChunk(a));

/** An app that was started from a build before may load what it has not used yet: its chunks stay for a day. */
async function removeOldChunks(folder: string, current: ReadonlySet<string>): Promise<void> {
  const day = 24 * 3_600_000;
  for (const file of (await readdir(folder)).filter((name) => isChunk(name) && !current.has(name))) {
    const place = path.join(folder, file);
    const found = await stat(place).catch(() => undefined);
    if (found !== undefined && Date.now() - found.mtimeMs > day) await rm(place, { force: true });
  }
}

/**
 * Bundles the app into `functions/app.mjs` below `folder`, unless that was made of these very sources. Returns its path
 * and what it took in milliseconds; throws when a source does not compile. Others may do the same at once: files are put
 * in place whole.
 */
export async function buildApp(folder = 'dist'): Promise<{ entry: string; milliseconds: number }> {
  const startedAt = performance.now();
  const digest = await sourcesDigest();
  const target = path.resolve(root, folder, 'functions');
  const marker = path.resolve(root, folder, 'sources.sha256');
  if ((await readFile(marker, 'utf8').catch(() => '')) !== digest) {
    await mkdir(target, { recursive: true });
    const made = await mkdtemp(`${target}.`);
    await bundleApp(made);
    const files = (await readdir(made)).sort(chunksFirst);
    for (const file of files) await rename(path.join(made, file), path.join(target, file));
    await rm(made, { recursive: true });
    await removeOldChunks(target, new Set(files));
    await writeFile(marker, digest);
  }
  return { entry: path.join(folder, 'functions/app.mjs'), milliseconds: Math.round(performance.now() - startedAt) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { entry, milliseconds } = await buildApp();
  console.log(`${entry} built in ${milliseconds} ms`);
}
