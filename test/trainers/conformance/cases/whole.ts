/** Jobs in which nothing goes wrong. */
import { trainerDescriptions } from '../../../../shared/training/trainers.ts';
import { attempt, startProgram } from '../attempt.ts';
import { type Case, fewSamples, wholeJobSeconds } from '../case.ts';
import { judge, outputsOf, parseJson, reportsOf } from '../judge.ts';
import { makeSamples } from '../samples.ts';
import { paced } from '../storage.ts';

const describeSeconds = 20;

export const wholeCases: Case[] = [
  {
    name: 'a whole job',
    check: async (subject) =>
      attempt(subject, { samples: await makeSamples(subject.task, fewSamples) }, async (it) =>
        judge(it, await it.end(wholeJobSeconds), { last: 'succeeded' }),
      ),
  },
  {
    name: 'few reports',
    takes: 'seconds',
    check: async (subject) => {
      const change = { heartbeatSeconds: 0.1 };
      const order = {
        samples: await makeSamples(subject.task, fewSamples),
        change,
        prepare: (_: unknown, job: { document: { reports: object }; revise(change: object): void }) =>
          job.revise({ reports: { ...job.document.reports, maximum: 2 } }),
      };
      return attempt(subject, order, async (it) => {
        // so few reports leave a job silent: that is not its fault
        const wrong = await judge(it, await it.end(wholeJobSeconds), { last: 'succeeded', disturbed: true });
        const sent = reportsOf(it).length;
        return sent > 2 ? [...wrong, `it sent ${sent} reports, where 2 are the most`] : wrong;
      });
    },
  },
  {
    name: 'slow storage',
    takes: 'seconds',
    check: async (subject) => {
      // longer than a job may be silent
      const turn = paced(220);
      const samples = await makeSamples(subject.task, 64);
      return attempt(
        subject,
        {
          samples,
          prepare: (storage) => {
            storage.trouble = ({ path }) => (path.startsWith('/datasets/') ? turn().then(() => undefined) : undefined);
          },
        },
        async (it) => judge(it, await it.end(wholeJobSeconds), { last: 'succeeded' }),
      );
    },
  },
  {
    name: 'another task',
    check: async (subject) =>
      attempt(
        subject,
        { samples: await makeSamples(subject.task, fewSamples), change: { task: 'clairvoyance' } },
        async (it) => judge(it, await it.end(wholeJobSeconds), { last: 'failed', reason: /clairvoyance/ }),
      ),
  },
  {
    name: 'a later contract',
    check: async (subject) => {
      const samples = await makeSamples(subject.task, fewSamples);
      const prepare = (_: unknown, job: { revise(change: object): void }): void => job.revise({ version: 2 });
      return attempt(subject, { samples, prepare }, async (it) => {
        const ended = await it.end(wholeJobSeconds);
        const wrong = await judge(it, ended, { last: undefined });
        if (outputsOf(it).length > 0 || reportsOf(it).at(-1)?.kind === 'succeeded')
          wrong.push('it went on with a job in a version of the contract that nobody knows yet');
        if (ended.code === 0 && reportsOf(it).length === 0) wrong.push('it neither reported nor failed');
        return wrong;
      });
    },
  },
  {
    name: '--describe',
    check: async ({ command }) => {
      const ended = await startProgram(`${command} --describe`, '').end(describeSeconds);
      if (ended.overdue) return [`with --describe it did not end in ${describeSeconds} s`];
      if (ended.code !== 0) return [];
      const described = trainerDescriptions.safeParse(parseJson(ended.output));
      return described.success
        ? []
        : [`what it prints with --describe is no description: ${ended.output.slice(0, 200)}`];
    },
  },
];
