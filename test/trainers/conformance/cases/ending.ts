/** Jobs that somebody ends, or takes away. */
import type { JobDocument } from '../../../../shared/training/job-contract.ts';
import { type Attempt, attempt, type AttemptOrder, type Subject } from '../attempt.ts';
import { type Case, countless, endSeconds, fewSamples, wholeJobSeconds } from '../case.ts';
import { reportPath } from '../job.ts';
import { askedFor, judge, outputsOf, reportsOf } from '../judge.ts';
import { makeSamples } from '../samples.ts';
import { paced, type Storage } from '../storage.ts';

/** enough for most to begin, and to be in the middle of it */
const deadlineSeconds = 8;
/** to load what it needs */
const startSeconds = 30;

/** A job that is not over soon: it reads, picture by picture, or trains. */
async function lengthy(subject: Subject, phase: 'reads' | 'trains'): Promise<AttemptOrder> {
  if (phase === 'trains')
    return { samples: await makeSamples(subject.task, fewSamples), parameters: subject.lasting ?? {} };
  const turn = paced(countless.pauseMs);
  return {
    samples: await makeSamples(subject.task, countless.samples),
    prepare: (storage: Storage) => {
      storage.trouble = ({ path }) => (path.startsWith('/datasets/') ? turn().then(() => undefined) : undefined);
    },
  };
}

/** Whether a job is in the middle of it: some pictures are read, or all of them and a heartbeat came later. */
function isAmid(it: Attempt, phase: 'reads' | 'trains'): boolean {
  if (phase === 'reads') return askedFor(it, 'GET', '/datasets/') >= 3 && reportsOf(it).length > 0;
  const lastRead = it.storage.answers.findLast(({ path }) => path.startsWith('/datasets/'))?.atMs ?? Infinity;
  return (
    askedFor(it, 'GET', '/datasets/') >= it.job.paths.pictures.length &&
    it.storage.answers.some(
      ({ method, path, atMs }) => method === 'PUT' && path.startsWith(it.job.paths.reports) && atMs > lastRead,
    )
  );
}

/** Hands a job over in the middle of its phase; what is wrong where it never gets there. */
async function amid(
  subject: Subject,
  phase: 'reads' | 'trains',
  change: Partial<JobDocument>,
  then: (it: Attempt) => Promise<string[]>,
): Promise<string[]> {
  return attempt(subject, { ...(await lengthy(subject, phase)), change }, async (it) => {
    if (await it.until(() => isAmid(it, phase))) return then(it);
    const { code, said } = await it.end(0.1);
    return [`it never came to where it ${phase} (${code}): ${said.slice(-500)}`];
  });
}

const noOutputs = (it: Attempt): string[] => outputsOf(it).map((name) => `it left ${name}`);

function cancelled(phase: 'reads' | 'trains'): Case {
  return {
    name: `cancelled while it ${phase}`,
    ...(phase === 'trains' ? { needs: 'lasting' } : {}),
    check: (subject) =>
      amid(subject, phase, {}, async (it) => {
        it.job.revise({ cancelRequested: true });
        const wrong = await judge(it, await it.end(endSeconds), { last: 'failed', reason: /^cancelled$/ });
        return [...wrong, ...noOutputs(it)];
      }),
  };
}

function deadline(phase: 'reads' | 'trains'): Case {
  return {
    name: `deadline while it ${phase}`,
    ...(phase === 'trains' ? { needs: 'lasting', takes: 'seconds' } : {}),
    check: async (subject) => {
      const order = await lengthy(subject, phase);
      const change = { deadline: new Date(Date.now() + deadlineSeconds * 1000).toISOString() };
      return attempt(subject, { ...order, change }, async (it) => {
        const wrong = await judge(it, await it.end(deadlineSeconds + endSeconds), { last: 'failed' });
        return [...wrong, ...noOutputs(it)];
      });
    },
  };
}

/** What compute does before it takes a machine away, and then the next attempt at the same run. */
function preempted(phase: 'reads' | 'trains'): Case {
  return {
    name: `preempted while it ${phase}, and resumed`,
    ...(phase === 'trains' ? { needs: 'lasting', takes: 'seconds' } : {}),
    check: (subject) =>
      amid(subject, phase, {}, async (it) => {
        it.terminate();
        // a report may be cut off in the middle, and its number lost
        const ended = await it.end(endSeconds);
        const wrong = await judge(it, ended, { last: 'failed', reason: /^terminated$/, disturbed: true });
        wrong.push(...noOutputs(it));
        if (wrong.length > 0) return wrong;
        it.storage.trouble = () => undefined;
        const again = { samples: await makeSamples(subject.task, fewSamples), attempt: 2, storage: it.storage };
        return attempt(subject, again, async (second) =>
          judge(second, await second.end(wholeJobSeconds), { last: 'succeeded' }),
        );
      }),
  };
}

const refusals = [
  { status: 403, code: 'UnauthorizedBlobOverwrite' },
  { status: 409, code: 'BlobAlreadyExists' },
  { status: 412, code: 'ConditionNotMet' },
];

/** The run is another execution's, which has written a report first. */
const foreign = Buffer.from(
  JSON.stringify({ sequence: 1, kind: 'started', at: '2026-01-01T00:00:00Z', execution: 'another' }),
);

const takenOver = (refusal: { status: number; code: string }): Case => ({
  name: `superseded at its start, by ${refusal.status}`,
  // most trainers tell them apart in one place
  ...(refusal.status === 403 ? {} : { takes: 'seconds' }),
  check: async (subject) => {
    const samples = await makeSamples(subject.task, fewSamples);
    const prepare: AttemptOrder['prepare'] = (storage, job) => {
      storage.refusal = refusal;
      storage.blobs.set(reportPath(job, 1), foreign);
    };
    return attempt(subject, { samples, prepare }, async (it) => {
      const wrong = await judge(it, await it.end(endSeconds + startSeconds), { last: undefined });
      if (reportsOf(it).length > 1) wrong.push('it reported for a run that is not its own');
      if (askedFor(it, 'GET', '/datasets/') > 0) wrong.push('it read the samples of a run that is not its own');
      return [...wrong, ...noOutputs(it)];
    });
  },
});

const supersededLater: Case = {
  name: 'superseded while it reads',
  check: (subject) =>
    amid(subject, 'reads', { token: 't-1' }, async (it) => {
      const next = reportsOf(it).length + 1;
      // the next report may be on its way
      for (const sequence of [next, next + 1])
        if (!it.storage.blobs.has(reportPath(it.job, sequence)))
          it.storage.blobs.set(reportPath(it.job, sequence), foreign);
      const before = reportsOf(it).length;
      const wrong = await judge(it, await it.end(endSeconds), { last: undefined });
      if (reportsOf(it).length > before) wrong.push('it went on to report for a run that is not its own any more');
      return [...wrong, ...noOutputs(it)];
    }),
};

const cancelledBefore: Case = {
  name: 'cancelled before it began',
  takes: 'seconds',
  check: async (subject) =>
    attempt(
      subject,
      { samples: await makeSamples(subject.task, fewSamples), change: { cancelRequested: true } },
      async (it) => {
        const wrong = await judge(it, await it.end(endSeconds + startSeconds), {
          last: 'failed',
          reason: /^cancelled$/,
        });
        return [...wrong, ...noOutputs(it)];
      },
    ),
};

export const endingCases: Case[] = [
  cancelledBefore,
  cancelled('reads'),
  cancelled('trains'),
  deadline('reads'),
  deadline('trains'),
  preempted('reads'),
  preempted('trains'),
  ...refusals.map(takenOver),
  supersededLater,
];
