/** The suite notices: the trainer of shell and curl with one thing wrong in it fails the case that is about that. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Subject } from './attempt.ts';
import { cases } from './cases.ts';
import { npmSubjects } from './subjects.ts';

const caseMs = 240_000;
const curl = npmSubjects['curl'] as Subject;
const script = path.resolve(import.meta.dirname, '../../fixtures/curl-trainer.sh');
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'wrong-trainers-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** What is done to the script, by which case it is noticed, and with what words. */
const mistakes: [what: string, from: string | RegExp, to: string, noticedBy: string, words: RegExp][] = [
  ['counts reports from 2', '\nsequence=0\n', '\nsequence=1\n', 'a whole job', /report 1 is missing/],
  ['reports an unknown kind', '"kind\\":\\"heartbeat', '"kind\\":\\"pulse', 'a whole job', /is none: kind/],
  ['says another digest', 'sha256sum < "$2"', 'sha256sum < /dev/null', 'a whole job', /is not what the report says/],
  ['leaves another file', '"@$2" application', '"@$0" application', 'a whole job', /model.onnx is refused/],
  [
    'never looks whether it is cancelled',
    /\[ "\$\(field cancelRequested\)" = false \] \|\| fail cancelled/g,
    ':',
    'cancelled while it reads',
    /did not end/,
  ],
  ['knows no deadline', /expr "\$\(date.*passed'/, ':', 'deadline while it reads', /did not end/],
  ['knows no SIGTERM', "trap 'fail terminated' TERM", ':', 'preempted while it reads, and resumed', /should be failed/],
  [
    'takes any answer for a success',
    /\[ "\$try" -gt 1 \] \|\| \{ over=yes && exit 0; \}/,
    ':',
    'superseded at its start, by 403',
    /not its own/,
  ],
  [
    'takes what it wrote itself for another',
    '[ "$try" -gt 1 ] || { over',
    'false || { over',
    'lost answers',
    /should be succeeded/,
  ],
  ['gives up at once', / {4}case \$status in 000.*\n/, '    return 0\n', 'busy storage', /should be succeeded/],
  [
    'blames pictures for signatures',
    /.*storage refuses the pictures.*\n/,
    '',
    'expired signatures',
    /named samples as unreadable/,
  ],
  [
    'names no picture',
    '"unreadable\\":[${2:-}]',
    '"unreadable\\":[]',
    'a picture that arrives damaged',
    /no report names/,
  ],
  ['dies in silence', 'trap end EXIT', ':', 'full disk', /should be succeeded or failed/],
  ['takes every task', /.*the job asks for.*\n/, '', 'another task', /should be failed/],
  ['keeps no number for the end', '$((maximum - 1))', '$((maximum + 9))', 'few reports', /sent \d+ reports|should be/],
];

test.concurrent.each(mistakes)('one that %s', { timeout: caseMs }, async (what, from, to, noticedBy, words) => {
  const right = await readFile(script, 'utf8');
  const wrong = right.replace(from, to);
  expect(wrong).not.toBe(right);
  const file = path.join(folder, `${what.replaceAll(' ', '-')}.sh`);
  await writeFile(file, wrong);
  const subject = { ...curl, command: curl.command.replace('test/fixtures/curl-trainer.sh', `'${file}'`) };
  const one = cases.find(({ name }) => name === noticedBy);
  expect((await one?.check(subject))?.join('\n')).toMatch(words);
});
