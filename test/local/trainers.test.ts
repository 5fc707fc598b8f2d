import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readEnvironment } from '../../local/environment.ts';
import { readOwnTrainers, trainingJob } from '../../local/trainers.ts';
import { builtInDescriptions, readTrainers } from '../../shared/training/trainers.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'trainers-'));
});
afterAll(() => rm(folder, { recursive: true }));

const program = async (name: string, text: string): Promise<string> => {
  const file = path.join(folder, name);
  await writeFile(file, `#!/bin/sh\n${text}\n`);
  await chmod(file, 0o755);
  return file;
};

describe('DARKROOM_TRAINERS', () => {
  test('names commands', () => {
    const own = readOwnTrainers(' mine = A=1 sh -c "x = y" ;other=./train.py;; ');
    expect([...own]).toEqual([
      ['mine', 'A=1 sh -c "x = y"'],
      ['other', './train.py'],
    ]);
  });

  test.each([
    ['mine', /"mine" is not name=command/],
    ['mine=', /is not name=command/],
    ['Mine=x', /the name of a-z/],
    ['a=x;a=y', /the trainer "a" is there twice/],
  ])('that cannot be used (%s) stops the start with why', (text, why) => {
    expect(() => readEnvironment({ DARKROOM_TRAINERS: text })).toThrow(why);
    expect(() => readEnvironment({ DARKROOM_TRAINERS: text })).toThrow(/DARKROOM_TRAINERS: /);
  });
});

describe('the training job of a platform', () => {
  const settingOf = async (own: Record<string, string>) => {
    const { extraSettings, jobEnvironment } = await trainingJob(new Map(Object.entries(own)), folder);
    expect([...readOwnTrainers(jobEnvironment.DARKROOM_TRAINERS)]).toEqual(Object.entries(own));
    return readTrainers(extraSettings.TRAINERS);
  };

  test('without own trainers knows the built-in ones and no others', async () => {
    expect(await settingOf({})).toEqual({ described: builtInDescriptions, isComplete: true });
  });

  test('knows what own trainers print with --describe, and the names of those that print nothing', async () => {
    const parameters = { type: 'object', properties: { depth: { type: 'integer', minimum: 1 } } };
    const text = JSON.stringify({ trainers: [{ name: 'whatever', parameters }] });
    const telling = await program('telling', `[ "$1" = --describe ] && echo '${text}'`);
    const silent = await program('silent', 'exit 3');
    const { described, isComplete } = await settingOf({ telling, silent, softmax: silent });
    expect(isComplete).toBe(true);
    const builtIn = builtInDescriptions.map(({ name }) => name).filter((name) => name !== 'softmax');
    expect(described.map(({ name }) => name)).toEqual([...builtIn, 'telling', 'silent', 'softmax']);
    expect(described.slice(builtIn.length)).toEqual([
      { name: 'telling', parameters },
      { name: 'silent' },
      { name: 'softmax' },
    ]);
  });

  test.each(['echo hello', `echo '{"trainers":[{"name":"x","parameters":{"type":"string"}}]}'`])(
    'does not start where one prints no description (%s), and says so',
    async (line) => {
      const odd = await program('odd', line);
      await expect(settingOf({ odd })).rejects.toThrow(
        /What the trainer "odd" prints with --describe cannot be used: /,
      );
    },
  );
});
