/** trainers/pytorch/Dockerfile without a Docker engine: linted, and its instructions read. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { validate } from 'dockerfile-utils';
import { expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '../../..');
const read = (name: string): string => readFileSync(path.join(root, 'trainers/pytorch', name), 'utf8');
const text = read('Dockerfile');
/** instructions of a stage, continued lines joined */
const stage = (name: string): string => {
  const joined = text.replaceAll(/^#.*\n/gm, '').replaceAll(/\\\n\s*/g, '');
  return joined.split(/^(?=FROM )/m).find((part) => part.split('\n')[0]?.endsWith(` AS ${name}`)) ?? '';
};

test('the Dockerfile is well-formed, and its base is named by digest', () => {
  expect(validate(text)).toEqual([]);
  const bases = [...text.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base);
  expect(new Set(bases)).toEqual(new Set(['${PYTHON_IMAGE}', 'tools']));
  expect(text).toMatch(/^ARG PYTHON_IMAGE=[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}$/m);
});

test.for(['cpu', 'cuda'])('the %s image runs as nobody in particular, and installs nothing itself', (name) => {
  expect(stage(name)).toContain('\nUSER 10001:10001\nENTRYPOINT ["python", "-m", "darkroom_trainer"]\n');
  expect(stage(name)).not.toContain('\nRUN ');
  // what changes with every commit is the last layer and a small one
  expect(
    stage(name)
      .match(/^COPY .*$/gm)
      ?.at(-1),
  ).toBe('COPY trainers/pytorch/darkroom_trainer darkroom_trainer');
});

test('all that is copied is there, and let through', () => {
  const copied = [...text.matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap(([, names = '']) => names.split(' '));
  const allowed = read('Dockerfile.dockerignore');
  expect(copied.length).toBeGreaterThan(3);
  for (const name of copied) {
    expect(existsSync(path.join(root, name)), name).toBe(true);
    expect(allowed).toContain(`!${name}\n`);
  }
});

test('every package is installed by hash, but PyTorch without CUDA', () => {
  for (const [, command] of text.matchAll(/pip install(.*?)(?: \\)?$/gm))
    expect(command).toMatch(/--require-hashes|--torch-backend cpu \$\(/);
  for (const name of ['requirements.txt', 'requirements-dev.txt']) {
    const packages = read(name).split(/^(?=\w)/m);
    for (const one of packages) expect(one, name).toMatch(/^[\w.-]+==\S+ .*--hash=sha256:[0-9a-f]{64}/s);
  }
  // each pin of the project is the lock's
  const pins = [...read('pyproject.toml').matchAll(/"([\w-]+==[\w.]+)"/g)].map(([, pin]) => pin ?? '');
  const locked = read('requirements.txt') + read('requirements-dev.txt');
  expect(pins.length).toBeGreaterThan(10);
  for (const pin of pins) expect(locked).toContain(`${pin} `);
});
