import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findCompiler } from '../../infra/compiler/find.ts';
import { type Compiler, openCompiler } from '../../infra/compiler/rpc.ts';
import { compare, readSnapshot } from '../../infra/compiler/snapshot.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bicep-'));
  await cp(
    path.join(import.meta.dirname, '..', '..', 'infra', 'bicepconfig.json'),
    path.join(folder, 'bicepconfig.json'),
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('a compiler that is named must be there', async () => {
  await expect(findCompiler({ BICEP: path.join(folder, 'none') })).rejects.toThrow('BICEP names no program');
});

test('a compiler on the PATH is found', async () => {
  const bin = path.join(folder, 'bin');
  await mkdir(bin);
  const program = path.join(bin, process.platform === 'win32' ? 'bicep.exe' : 'bicep');
  await writeFile(program, '#!/bin/sh\n', { mode: 0o755 });
  expect(await findCompiler({ PATH: `/nowhere${path.delimiter}${bin}` })).toMatch(/bicep(\.exe)?$/);
});

test('a snapshot says what changed, whatever the order', () => {
  const one = { id: '/a', type: 'T', name: 'a', properties: { size: 1 } };
  const other = { id: '/b', type: 'T', name: 'b' };
  const before = readSnapshot(JSON.stringify({ predictedResources: [other, one] }));
  const same = readSnapshot(JSON.stringify({ predictedResources: [one, other] }));
  expect(before).toEqual(same);
  const changed = { ...one, properties: { size: 2 } };
  const after = readSnapshot(JSON.stringify({ predictedResources: [changed, { ...other, id: '/c', name: 'c' }] }));
  expect(compare(before, after)).toEqual(['changed: T a', 'added: T c', 'removed: T b']);
});

const program = await findCompiler(process.env);

describe.skipIf(program === undefined)('the real compiler', () => {
  let compiler: Compiler;
  beforeAll(() => {
    compiler = openCompiler(program ?? '');
  });
  afterAll(() => compiler.close());

  const codesOf = async (name: string, text: string): Promise<string[]> => {
    const file = path.join(folder, `${name}.bicep`);
    await writeFile(file, text);
    return (await compiler.compile(file)).diagnostics.map(({ code }) => code);
  };
  const queue = (property: string) => `
resource bus 'Microsoft.ServiceBus/namespaces@2024-01-01' = {
  name: 'sb-darkroom'
  location: 'westeurope'
  properties: { ${property} }
}
`;

  test('objects to a misspelt property, which it would deploy without', async () => {
    expect(await codesOf('misspelt', queue('disableLocalAuht: true'))).toContain('BCP089');
  });

  test('objects to what only the linter knows', async () => {
    expect(await codesOf('lint', queue('disableLocalAuth: true'))).toContain('no-hardcoded-location');
    const unused = `@description('Unused.')\nparam unused string = ''\n`;
    expect(await codesOf('unused', unused)).toEqual(['no-unused-params']);
  });

  const evaluated = async (name: string, parameters: string): Promise<string> => {
    const file = path.join(folder, `${name}.bicepparam`);
    const template = path.relative(folder, path.join(import.meta.dirname, '../../infra/resources.bicep'));
    const common = `param environmentName = 'try'\nparam trainerImage = 'ghcr.io/a/b@sha256:${'0'.repeat(64)}'\n`;
    await writeFile(file, `using '${template.replaceAll(path.sep, '/')}'\n\n${common}${parameters}`);
    return compiler.snapshot(file, 'rg-try').catch((error: unknown) => String(error));
  };

  test('refuses more instances than a tier has connections for, and an address that is no origin', async () => {
    expect(await evaluated('four', 'param maximumInstances = 4')).toContain('"maximumInstanceCount": 4');
    expect(await evaluated('five', 'param maximumInstances = 5')).not.toContain('maximumInstanceCount');
    const standard = `param serviceBusTier = 'Standard'\nparam maximumInstances = `;
    expect(await evaluated('49', `${standard}49`)).not.toContain('maximumInstanceCount');
    const origin = `param allowedOrigins = ['https://scans.example.com/']`;
    expect(await evaluated('slash', origin)).not.toContain('maximumInstanceCount');
  });

  test('says why a file cannot be read, and goes on', async () => {
    await expect(compiler.snapshot(path.join(folder, 'none.bicepparam'), null)).rejects.toThrow();
    expect(await compiler.version()).toMatch(/^\d+\.\d+\.\d+$/);
  });
});
