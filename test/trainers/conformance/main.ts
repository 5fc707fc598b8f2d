/**
 * `npm run try:trainer -- 'COMMAND'`: holds a trainer to the job contract, case by case, whatever it is written in.
 * Without a command: the trainers of this repository, as far as what they need is on this machine. Closes with a table and
 * `N passed, N failed`.
 */
import pMap from 'p-map';
import * as z from 'zod';
import { readArguments } from '../../../local/read-arguments.ts';
import type { Subject } from './attempt.ts';
import { applies, type Case } from './case.ts';
import { cases } from './cases.ts';
import { tasksOfJobs } from './samples.ts';
import { subjects } from './subjects.ts';
import { type Outcome, table } from './table.ts';

const usage = `npm run try:trainer -- [OPTIONS] ['COMMAND']
  COMMAND              for /bin/sh; it is given DARKROOM_JOB_URL. Left out: the trainers of this repository
  --case TEXT          only cases whose name has this in it
  --minutes            also cases that take minutes: storage away for five minutes, 100,000 samples
  --at-once N          cases at once (3)
  --only NAME,...      of the trainers of this repository
Of a command:
  --task KIND          ${Object.keys(tasksOfJobs).join(', ')} (classification)
  --image 32x32x3      width, height and channels that the jobs ask for
  --trainer NAME       trainer that the jobs name (mine)
  --parameters JSON    its parameters ({})
  --lasting JSON       parameters of a training of a minute or more: without them it is not ended while it trains
  --fetches-only       it does not decode pictures, and need not notice those that are none`;

const { values, positionals } = readArguments(usage, {
  allowPositionals: true,
  options: {
    case: { type: 'string', default: '' },
    minutes: { type: 'boolean', default: false },
    'at-once': { type: 'string', default: '3' },
    only: { type: 'string' },
    task: { type: 'string', default: 'classification' },
    image: { type: 'string', default: '32x32x3' },
    trainer: { type: 'string', default: 'mine' },
    parameters: { type: 'string', default: '{}' },
    lasting: { type: 'string' },
    'fetches-only': { type: 'boolean', default: false },
  },
});

function fail(why: string): never {
  console.error(`${why}\nUsage: ${usage}`);
  process.exit(2);
}

const parametersSchema = z.record(z.string(), z.union([z.number(), z.string(), z.boolean()]));
function parametersOf(option: string, text: string): Subject['parameters'] {
  try {
    return parametersSchema.parse(JSON.parse(text));
  } catch {
    return fail(`--${option} is no JSON object of numbers, texts and booleans: ${text}`);
  }
}

/** The trainer that the arguments describe. */
function given(command: string): Subject {
  const [, width, height, channels] = /^(\d+)x(\d+)x([13])$/.exec(values.image) ?? fail(`--image is ${values.image}`);
  if (tasksOfJobs[values.task] === undefined) fail(`there are no jobs for the task ${values.task}`);
  return {
    command,
    task: values.task,
    trainer: values.trainer,
    image: { width: Number(width), height: Number(height), channels: channels === '1' ? 1 : 3 },
    parameters: parametersOf('parameters', values.parameters),
    lasting: values.lasting === undefined ? undefined : parametersOf('lasting', values.lasting),
    decodes: !values['fetches-only'],
  };
}

const skipped: string[] = [];

/** The trainers of this repository that are asked for and can be tried here. */
async function ours(): Promise<[string, Subject][]> {
  const names = Object.keys(subjects).filter(
    (name) => values.only === undefined || values.only.split(',').includes(name),
  );
  if (names.length === 0) fail(`there is no trainer ${values.only}; there are ${Object.keys(subjects).join(', ')}`);
  const found: [string, Subject][] = [];
  for (const name of names) {
    const subject = await subjects[name]?.();
    if (typeof subject === 'object') found.push([name, subject]);
    else skipped.push(`skipped: ${name}, because ${subject}`);
  }
  return found;
}

const tried: [string, Subject][] = positionals.length > 0 ? [['yours', given(positionals.join(' '))]] : await ours();
for (const line of skipped) console.log(line);
const chosen = cases.filter(({ name, takes }) => name.includes(values.case) && (values.minutes || takes !== 'minutes'));
if (chosen.length === 0) fail(`there is no case ${values.case}; there are ${cases.map(({ name }) => name).join(', ')}`);

async function run(name: string, subject: Subject, one: Case): Promise<Outcome> {
  if (!applies(one, subject)) return '-';
  const startedAt = performance.now();
  const wrong = await one.check(subject).catch((error: unknown) => [`the suite itself failed: ${String(error)}`]);
  const outcome = wrong.length === 0 ? 'passed' : 'FAILED';
  const seconds = (performance.now() - startedAt) / 1000;
  console.log([`${outcome}  ${name}: ${one.name} (${seconds.toFixed(1)} s)`, ...wrong].join('\n          '));
  return outcome;
}

const pairs = tried.flatMap(([name, subject]) => chosen.map((one) => ({ name, subject, one })));
const outcomes = await pMap(pairs, ({ name, subject, one }) => run(name, subject, one), {
  concurrency: Number(values['at-once']),
});
const byTrainer = new Map(tried.map(([name]) => [name, new Map<string, Outcome>()]));
pairs.forEach(({ name, one }, index) => byTrainer.get(name)?.set(one.name, outcomes[index] ?? '-'));
console.log(`\n${table(byTrainer)}\n`);
const count = (outcome: Outcome): number => outcomes.filter((one) => one === outcome).length;
console.log(
  `${count('passed')} passed, ${count('FAILED')} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`,
);
process.exitCode = count('FAILED') === 0 ? 0 : 1;
