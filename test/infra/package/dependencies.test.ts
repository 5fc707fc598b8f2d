import { describe, expect, test } from 'vitest';
import { isNeeded, productionPackages } from '../../../infra/package/dependencies.ts';

const lock = {
  packages: {
    'node_modules/a': { version: '1.0.0', dependencies: { b: '^2.0.0', 'adm-zip': '1' } },
    'node_modules/a/node_modules/b': { version: '2.0.0' },
    'node_modules/adm-zip': { version: '1.0.0' },
    'node_modules/b': { version: '1.0.0', dependencies: { c: '1' } },
    'node_modules/c': { version: '1.0.0' },
    'node_modules/d': {
      version: '1.0.0',
      optionalDependencies: { 'for-linux': '1', 'for-mac': '1', 'for-musl': '1', 'for-arm': '1', 'left-out': '1' },
    },
    'node_modules/for-linux': { version: '1.0.0', os: ['linux'], cpu: ['x64'], libc: ['glibc'] },
    'node_modules/for-mac': { version: '1.0.0', os: ['darwin'], dependencies: { c: '1' } },
    'node_modules/for-musl': { version: '1.0.0', os: ['linux'], cpu: ['x64'], libc: ['musl'] },
    'node_modules/for-arm': { version: '1.0.0', os: ['linux'], cpu: ['arm64'] },
  },
};

describe('production packages', () => {
  test('are those that are needed, found as Node finds them', () => {
    expect([...productionPackages(lock, ['a'])]).toEqual([
      ['node_modules/a', '1.0.0'],
      ['node_modules/a/node_modules/b', '2.0.0'],
    ]);
    expect([...productionPackages(lock, ['b']).keys()]).toEqual(['node_modules/b', 'node_modules/c']);
  });

  test('are those for linux-x64 with glibc, whatever this machine is; what only others need is left out', () => {
    expect([...productionPackages(lock, ['d']).keys()]).toEqual(['node_modules/d', 'node_modules/for-linux']);
  });

  test('that are not in the lockfile are an error', () => {
    expect(() => productionPackages(lock, ['e'])).toThrow('package-lock.json has no e, which the app needs');
  });
});

test('files that only development or other platforms need stay out, licences stay in', () => {
  const needed = ['index.js', 'lib/a.cjs', 'lib/a.mjs', 'package.json', 'lib/libvips-cpp.so.8.18.7', 'build/a.node'];
  const native = ['bin/napi-v6/linux/x64/libonnxruntime.so.1'];
  const licences = ['LICENSE', 'LICENSE.md', 'THIRD-PARTY-NOTICES.md', 'licence.txt'];
  expect([...needed, ...native, ...licences].filter((file) => !isNeeded(file))).toEqual([]);
  const other = ['bin/napi-v6/darwin/arm64/libonnxruntime.1.dylib', 'bin/napi-v6/linux/arm64/libonnxruntime.so.1'];
  const development = ['index.d.ts', 'index.js.map', 'README.md', 'src/binding.cc'];
  expect([...other, ...development].filter(isNeeded)).toEqual([]);
});
