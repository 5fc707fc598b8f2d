/** azure.yaml says what exists, and its hooks say early what would fail late. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { copyFile, cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import { at, infraFile, ofType, resourcesOf } from './templates.ts';

const root = path.resolve(import.meta.dirname, '../..');
const read = (name: string): string => readFileSync(path.join(root, name), 'utf8');
const hook = z.object({ posix: z.object({ run: z.string() }), windows: z.object({ run: z.string() }) });
const hooks = z.record(z.string(), hook);
const project = z
  .object({
    hooks,
    services: z.record(
      z.string(),
      z.object({ host: z.literal('function'), dist: z.string(), remoteBuild: z.literal(false), hooks }),
    ),
  })
  .loose()
  .parse(parse(read('azure.yaml')));
const { scripts } = z
  .looseObject({ scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(read('package.json')));

describe('azure.yaml', () => {
  test('names the service that the template tags, and the folder that the package is unpacked into', () => {
    const [app] = ofType(resourcesOf('main'), 'Microsoft.Web/sites');
    expect(Object.keys(project.services)).toEqual([at(app, 'tags.azd-service-name')]);
    expect(read('infra/package/main.ts')).toContain(`'${project.services['api']?.dist}'`);
  });

  test('has hooks that are npm scripts, the same on every system', () => {
    const all = { ...project.hooks, ...project.services['api']?.hooks };
    expect(Object.keys(all).sort()).toEqual(['postup', 'prepackage', 'preprovision']);
    for (const [name, { posix, windows }] of Object.entries(all)) {
      expect(windows.run, name).toBe(posix.run);
      expect(Object.keys(scripts), name).toContain(posix.run.replace(/^npm run /, ''));
    }
  });

  test('leads to a group that azd finds again: azd down removes what carries the tag', () => {
    const [group] = ofType(resourcesOf('main'), 'Microsoft.Resources/resourceGroups');
    expect(at(group, 'tags.azd-env-name')).toBe('main');
    for (const { id } of resourcesOf('main')) expect(`${id}/`, 'left behind by azd down').toContain(`${group?.id}/`);
  });

  test('uses a template whose outputs are those that its hook reads', () => {
    const outputs = [...infraFile('main.bicep').matchAll(/^output (\w+)/gm)].map(([, name = '']) => name);
    const wanted = /outputs = z\.object\(\{(.*)\}\)/.exec(read('infra/azd/finish.ts'))?.[1] ?? '';
    for (const [, name = ''] of wanted.matchAll(/(\w+):/g)) expect(outputs).toContain(name);
  });
});

const good = {
  AZURE_ENV_NAME: 'dev',
  AZURE_LOCATION: 'swedencentral',
  TRAINER_IMAGE: `ghcr.io/someone/darkroom-trainer@sha256:${'a'.repeat(64)}`,
};
/** Runs the check as on a fresh clone: what is committed for it, without node_modules anywhere above. */
let clone: string;
beforeAll(async () => {
  clone = await mkdtemp(path.join(tmpdir(), 'fresh-clone-'));
  await cp(path.join(root, 'infra/azd'), path.join(clone, 'infra/azd'), { recursive: true });
  await copyFile(path.join(root, 'package.json'), path.join(clone, 'package.json'));
});
afterAll(() => rm(clone, { recursive: true, force: true }));

function check(environment: Record<string, string>): Promise<{ code: number; said: string }> {
  return new Promise((resolve) => {
    const env = { PATH: process.env['PATH'], ...environment };
    const [, program = ''] = /^node (\S+)$/.exec(scripts['azd:check'] ?? '') ?? [];
    execFile(process.execPath, [program], { cwd: clone, env }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, said: stdout + stderr }),
    );
  });
}

describe('before anything is provisioned', () => {
  test('a complete environment passes without a word', async () => {
    // but for a word on Node 22 when it comes to its end
    expect(await check({ ...good, DARKROOM_NODE: '24' })).toEqual({ code: 0, said: '' });
  });

  test.for([
    ['an image by tag', { ...good, TRAINER_IMAGE: 'ghcr.io/someone/darkroom-trainer:latest' }, 'by digest'],
    ['no image', { ...good, TRAINER_IMAGE: '' }, 'azd env set TRAINER_IMAGE'],
    ['a compute that does not exist', { ...good, DARKROOM_COMPUTE: 'h100' }, 'azd env set DARKROOM_COMPUTE cpu'],
    [
      'a cluster that does not exist',
      { ...good, DARKROOM_MACHINE_LEARNING: 'yes' },
      'azd env set DARKROOM_MACHINE_LEARNING none',
    ],
    ['a long name', { ...good, AZURE_ENV_NAME: 'an-environment-with-a-long-name' }, '20 characters'],
    [
      'a pipeline that says not what it is',
      { ...good, CI: 'true' },
      'azd env set AZURE_PRINCIPAL_TYPE ServicePrincipal',
    ],
    ['a version of Node that is not there', { ...good, DARKROOM_NODE: '20' }, 'azd env set DARKROOM_NODE 22'],
    ['a budget without its month', { ...good, DARKROOM_MONTHLY_BUDGET: '50' }, 'azd env set DARKROOM_BUDGET_START'],
  ] as const)('%s stops azd and says what to do', async ([, environment, advice]) => {
    const { code, said } = await check(environment);
    expect(code).toBe(1);
    expect(said).toContain(advice);
  });

  test('a pipeline that says what it is, and a budget with its month, pass', async () => {
    const pipeline = { CI: 'true', AZURE_PRINCIPAL_TYPE: 'ServicePrincipal' };
    const budget = { DARKROOM_MONTHLY_BUDGET: '50', DARKROOM_BUDGET_START: '2027-01-01' };
    expect((await check({ ...good, ...pipeline, ...budget })).code).toBe(0);
  });

  test('a region without GPUs, as far as we know, is told and left to Azure', async () => {
    const { code, said } = await check({ ...good, AZURE_LOCATION: 'norwayeast' });
    expect(code).toBe(0);
    expect(said).toContain('DARKROOM_COMPUTE cpu');
    const cpu = { ...good, AZURE_LOCATION: 'norwayeast', DARKROOM_COMPUTE: 'cpu', DARKROOM_NODE: '24' };
    expect(await check(cpu)).toMatchObject({ said: '' });
  });
});
