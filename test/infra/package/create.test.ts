import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packageContents } from '../../../infra/package/create.ts';
import { readHostConfig } from '../../../local/functions-host/host-config.ts';
import { buildApp } from '../../../local/build.ts';

const root = path.resolve(import.meta.dirname, '../../..');
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'package-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('the package holds what the app needs in Azure and nothing for anybody else', async () => {
  const { entry } = await buildApp();
  const contents = await packageContents(root, path.join(root, path.dirname(entry)), path.join(folder, 'fetched'));
  const names = [...contents.keys()];
  expect(names).toContain('dist/functions/app.mjs');
  expect(names).toContain('dist/functions/worker.mjs');
  expect(names).toContain('dist/functions/probe-child.mjs');
  expect(names).toContain('dist/functions/dejavu-sans.ttf');
  expect(names).toContain('dist/functions/dejavu-sans-license.txt');
  expect(contents.get('host.json')).toEqual({ file: path.join(root, 'host.json') });
  const backbone = names
    .filter((name) => name.startsWith('dist/functions/backbone/'))
    .map((n) => path.posix.basename(n));
  expect(backbone.sort()).toEqual(['LICENSE-APACHE-2.0.txt', 'README.md', 'efficientnet-lite0-fp16.onnx']);
  // what the app registers beside HTTP and the timer needs it; the local host refuses an app without
  expect((await readHostConfig(root)).hasExtensionBundle).toBe(true);
  expect(names).toContain('node_modules/onnxruntime-node/bin/napi-v6/linux/x64/onnxruntime_binding.node');
  const natives = names.filter((name) => /\.(node|so[.\d]*|dylib|dll)$/.test(name));
  for (const name of natives) expect(name).toMatch(/linux[-/]x64/);
  expect(names.filter((name) => /\.(ts|map)$|(^|\/)(test|tests|local|trainer)\//.test(name))).toEqual([]);
  const packages = names.flatMap((name) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(name)?.[1] ?? []);
  expect([...new Set(packages)].sort()).toEqual([
    '@img/colour',
    '@img/sharp-libvips-linux-x64',
    '@img/sharp-linux-x64',
    'detect-libc',
    'onnxruntime-common',
    'onnxruntime-node',
    'semver',
    'sharp',
  ]);

  const source = contents.get('package.json');
  const manifest: unknown = JSON.parse(source !== undefined && 'text' in source ? source.text : '');
  expect(manifest).toMatchObject({ type: 'module', main: 'dist/functions/app.mjs' });
  expect(manifest).not.toHaveProperty('scripts');
  expect(manifest).not.toHaveProperty('devDependencies');
});
