/** Storage that answers late, badly or not at all. */
import { type Attempt, attempt } from '../attempt.ts';
import { type Case, fewSamples, wholeJobSeconds } from '../case.ts';
import { askedFor, judge, outputsOf, unreadableOf } from '../judge.ts';
import { makeSamples } from '../samples.ts';
import { type Asked, passing, type Storage, type Trouble } from '../storage.ts';

const busy: Case = {
  name: 'busy storage',
  check: async (subject) => {
    const prepare = (storage: Storage): void => {
      // every address answers 503 at first, or not at all
      let count = 0;
      storage.trouble = ({ nth }) => (nth > 1 ? undefined : ++count % 2 === 0 ? { lost: 'before' } : passing);
    };
    const samples = await makeSamples(subject.task, 12);
    return attempt(subject, { samples, prepare }, async (it) =>
      judge(it, await it.end(wholeJobSeconds), { last: 'succeeded', disturbed: true }),
    );
  },
};

const lostAnswers: Case = {
  name: 'lost answers',
  check: async (subject) => {
    const prepare = (storage: Storage): void => {
      storage.trouble = ({ method, path, nth }): Trouble | undefined => {
        const isChosen = /\/00000[12]\.json$|\/model\.onnx$/.test(path);
        return method === 'PUT' && nth === 1 && isChosen ? { lost: 'after' } : undefined;
      };
    };
    return attempt(subject, { samples: await makeSamples(subject.task, fewSamples), prepare }, async (it) =>
      judge(it, await it.end(wholeJobSeconds), { last: 'succeeded' }),
    );
  },
};

/** What a job is at when storage goes away. */
const moments = {
  reads: (asked: Asked) => asked.path.startsWith('/datasets/'),
  ends: (asked: Asked) => asked.path.endsWith('/model.onnx'),
};

function away(moment: keyof typeof moments, seconds: number): Case {
  return {
    name: `storage away for ${seconds < 60 ? `${seconds} s` : `${seconds / 60} min`} while it ${moment}`,
    ...(seconds >= 60 ? { takes: 'minutes' } : moment === 'ends' ? { takes: 'seconds' } : {}),
    check: async (subject) => {
      const prepare = (storage: Storage): void => {
        let since: number | undefined;
        let count = 0;
        storage.trouble = (asked) => {
          if (since === undefined && moments[moment](asked)) since = performance.now();
          const isAway = since !== undefined && performance.now() - since < seconds * 1000;
          return !isAway ? undefined : ++count % 2 === 0 ? { lost: 'before' } : passing;
        };
      };
      return attempt(subject, { samples: await makeSamples(subject.task, fewSamples), prepare }, async (it) => {
        const ended = await it.end(seconds + wholeJobSeconds);
        const wrong = await judge(it, ended, { last: 'succeeded', disturbed: true });
        return [...wrong, ...blamed(it)];
      });
    },
  };
}

const blamed = (it: Attempt): string[] =>
  unreadableOf(it).length > 0 ? ['it named samples as unreadable that storage did not give'] : [];

const expired: Case = {
  name: 'expired signatures',
  check: async (subject) => {
    const prepare = (storage: Storage): void => {
      storage.trouble = ({ path }) =>
        path.startsWith('/datasets/') ? { status: 403, code: 'AuthenticationFailed' } : undefined;
    };
    return attempt(subject, { samples: await makeSamples(subject.task, fewSamples), prepare }, async (it) => {
      const wrong = await judge(it, await it.end(wholeJobSeconds), { last: 'failed' });
      if (outputsOf(it).length > 0) wrong.push('it left outputs of samples that it was not given');
      return [...wrong, ...blamed(it)];
    });
  },
};

const largeManifest = (count: number, takes: 'seconds' | 'minutes'): Case => ({
  name: `${count.toLocaleString('en')} samples`,
  takes,
  check: async (subject) =>
    attempt(subject, { samples: await makeSamples(subject.task, count) }, async (it) => {
      const wrong = await judge(it, await it.end(wholeJobSeconds + count / 25), { last: 'succeeded' });
      const read = askedFor(it, 'GET', '/datasets/');
      return read < count ? [...wrong, `it read ${read} of them`] : wrong;
    }),
});

export const storageCases: Case[] = [
  busy,
  lostAnswers,
  away('reads', 10),
  away('ends', 10),
  away('reads', 300),
  away('ends', 300),
  expired,
  largeManifest(1000, 'seconds'),
  largeManifest(100_000, 'minutes'),
];
