/** Makes the files that are deployed: functions/app.ts and the model probe with everything they need, save native and injected modules. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/** @azure/functions-core is injected by the worker; sharp and onnxruntime-node find their native files beside themselves. */
const external = ['@azure/functions-core', 'sharp', 'onnxruntime-node'];

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
 * Bundles the app into `functions/app.mjs` below `folder`. Returns its path and what it took in milliseconds; throws when
 * a source does not compile.
 */
export async function buildApp(folder = 'dist'): Promise<{ entry: string; milliseconds: number }> {
  const startedAt = performance.now();
  const entry = path.join(folder, 'functions/app.mjs');
  await build({
    absWorkingDir: root,
    // the probe is a program of its own, started beside the app
    entryPoints: { app: 'functions/app.ts', 'probe-child': 'shared/onnx/probe-child.ts' },
    outdir: path.join(folder, 'functions'),
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    target: 'node22',
    format: 'esm',
    external,
    banner: { js: banner },
    sourcemap: true,
    keepNames: true,
    // names and sense stay for stack traces; half the bytes are half the time to read them at a cold start
    minifyWhitespace: true,
    minifySyntax: true,
    logLevel: 'silent',
  });
  return { entry, milliseconds: Math.round(performance.now() - startedAt) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { entry, milliseconds } = await buildApp();
  console.log(`${entry} built in ${milliseconds} ms`);
}
