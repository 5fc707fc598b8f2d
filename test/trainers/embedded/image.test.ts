/** trainers/embedded/Dockerfile without a Docker engine: linted, and its CPU image put together as it says and run. */
import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { validate } from 'dockerfile-utils';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { attempt, type Subject } from '../conformance/attempt.ts';
import { judge, reportsOf } from '../conformance/judge.ts';
import { makeSamples } from '../conformance/samples.ts';
import { npmSubjects } from '../conformance/subjects.ts';

const root = path.resolve(import.meta.dirname, '../../..');
const text = readFileSync(path.join(root, 'trainers/embedded/Dockerfile'), 'utf8');

interface Stage {
  base: string;
  instructions: { name: string; words: string[] }[];
}

/** Stages by name. Enough of the format for this file: comments, continued lines, one stage after the other. */
function stagesOf(dockerfile: string): Map<string, Stage> {
  const stages = new Map<string, Stage>();
  let current: Stage | undefined;
  const lines = dockerfile
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n');
  for (const line of lines.filter((one) => one.trim() !== '')) {
    const [name = '', ...words] = line.trim().split(/\s+/);
    if (name === 'FROM') {
      current = { base: words[0] ?? '', instructions: [] };
      stages.set(words[2] ?? '', current);
    } else current?.instructions.push({ name, words });
  }
  return stages;
}
const stages = stagesOf(text);
const instructionsOf = (stage: string, name: string): string[][] =>
  stages.get(stage)?.instructions.flatMap((one) => (one.name === name ? [one.words] : [])) ?? [];

describe('the Dockerfile', () => {
  test('is well-formed', () => {
    expect(validate(text)).toEqual([]);
  });

  test('names every base by digest', () => {
    const named = [...text.matchAll(/^ARG \w+_IMAGE=(\S+)$/gm)].map(([, image]) => image);
    expect(named).toHaveLength(2);
    for (const image of named) expect(image).toMatch(/^[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}$/);
    for (const { base } of stages.values()) expect(base).toMatch(/^(\$\{(NODE|CUDA)_IMAGE\}|build)$/);
  });

  test('is given what it copies, and nothing else of the checkout', () => {
    const ignored = readFileSync(path.join(root, 'trainers/embedded/Dockerfile.dockerignore'), 'utf8');
    const given = ignored.split('\n').flatMap((line) => /^!(.+)$/.exec(line)?.[1] ?? []);
    expect(given.sort()).toEqual(
      instructionsOf('build', 'COPY')
        .flatMap((words) => words.slice(0, -1))
        .sort(),
    );
  });

  test.for(['cpu', 'cuda'])('runs the %s image as nobody in particular, and the same program', (stage) => {
    expect(instructionsOf(stage, 'USER')).toEqual([['10001:10001']]);
    expect(instructionsOf(stage, 'ENTRYPOINT')).toEqual([['["node",', '"main.mjs"]']]);
    expect(instructionsOf(stage, 'RUN')).toEqual([]);
    // what changes with every commit is the last layer and a small one
    expect(instructionsOf(stage, 'COPY').at(-1)).toEqual(['--from=build', '/source/dist/main.mjs', './']);
  });
});

describe('the image for CPUs', () => {
  let folder: string;
  let app: string;

  /** Does what the stage `build` says, but for installing packages, and then what the stage `cpu` copies. */
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'trainer-image-'));
    const source = path.join(folder, 'source');
    for (const words of instructionsOf('build', 'COPY')) {
      const to = words.at(-1) ?? '';
      for (const from of words.slice(0, -1)) {
        const target = to.endsWith('/') ? path.join(source, to, path.basename(from)) : path.join(source, to);
        await mkdir(path.dirname(target), { recursive: true });
        await cp(path.join(root, from), target, { recursive: true });
      }
    }
    await symlink(path.join(root, 'node_modules'), path.join(source, 'node_modules'));
    for (const words of instructionsOf('build', 'RUN').filter(([first]) => first !== 'npm')) {
      const done = spawnSync('/bin/sh', ['-c', words.join(' ')], { cwd: source, encoding: 'utf8' });
      expect(done.status, done.stderr).toBe(0);
    }
    app = path.join(folder, 'app');
    for (const [stage, from = ''] of instructionsOf('cpu', 'COPY')) {
      expect(stage).toBe('--from=build');
      const found = path.join(folder, from);
      await cp(found, path.extname(from) === '' ? app : path.join(app, path.basename(from)), { recursive: true });
    }
  }, 60_000);
  afterAll(() => rm(folder, { recursive: true }));

  test('has the pretrained backbone with its licence beside the program', async () => {
    expect((await readdir(path.join(app, 'backbone'))).sort()).toEqual([
      ...['LICENSE-APACHE-2.0.txt', 'README.md', 'efficientnet-lite0-fp16.onnx'],
    ]);
  });

  test('does a whole job, and says what it computes on', async () => {
    const command = `'${process.execPath}' '${path.join(app, 'main.mjs')}'`;
    const subject = { ...(npmSubjects['embedded'] as Subject), command };
    const samples = await makeSamples(subject.task, 16);
    await attempt(subject, { samples }, async (it) => {
      expect(await judge(it, await it.end(60), { last: 'succeeded' })).toEqual([]);
      expect(reportsOf(it)[0]).toMatchObject({ kind: 'started', machine: { executionProvider: 'cpu' } });
    });
  });
});
