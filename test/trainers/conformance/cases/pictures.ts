/** Pictures that cannot be read. */
import { createHash } from 'node:crypto';
import { type Attempt, attempt } from '../attempt.ts';
import { type Case, fewSamples, wholeJobSeconds } from '../case.ts';
import { picturePath } from '../job.ts';
import { judge, outputsOf, unreadableOf } from '../judge.ts';
import { makeSamples, type Sample } from '../samples.ts';
import type { Storage } from '../storage.ts';

/** A picture that storage has as the manifest says, and that is none. */
function spoiled(sample: Sample, bytes: Buffer): Sample {
  return { ...sample, bytes, md5: createHash('md5').update(bytes).digest('hex') };
}

/** Ways in which one sample is bad: how it is published, and what happens to it then. */
interface Way {
  /** seen by those alone that decode it */
  decodes?: true;
  takes?: 'seconds';
  make?: (sample: Sample) => Sample;
  after?: (storage: Storage, path: string) => unknown;
}
const ways: Record<string, Way> = {
  'arrives damaged': {
    after: (storage, path) => storage.blobs.set(path, Buffer.from('cut off')),
  },
  'is gone': {
    takes: 'seconds',
    after: (storage, path) => storage.blobs.delete(path),
  },
  'is none': {
    decodes: true,
    make: (sample) => spoiled(sample, Buffer.from('no picture at all')),
  },
  'ends in the middle': {
    takes: 'seconds',
    decodes: true,
    make: (sample) => spoiled(sample, sample.bytes.subarray(0, sample.bytes.length / 2)),
  },
};

/** Whom the reports blame, held against who is to blame. */
function blamedOthers(it: Attempt, bad: readonly string[]): string[] {
  const named = unreadableOf(it);
  const innocent = named.filter((md5) => !bad.includes(md5));
  return [
    ...(named.length === 0 ? ['no report names a sample that cannot be read'] : []),
    ...(innocent.length > 0 ? [`it named ${innocent.length} samples that can be read`] : []),
  ];
}

const one = ([name, { decodes, takes, make = (sample: Sample) => sample, after = () => undefined }]: [
  string,
  Way,
]): Case => ({
  name: `a picture that ${name}`,
  ...(decodes ? { needs: 'decoding' } : {}),
  ...(takes ? { takes } : {}),
  check: async (subject) => {
    const samples = await makeSamples(subject.task, fewSamples);
    const bad = make(samples[5] as Sample);
    samples[5] = bad;
    const prepare = (storage: Storage): unknown => after(storage, picturePath(bad.md5));
    return attempt(subject, { samples, prepare }, async (it) => {
      const ended = await it.end(wholeJobSeconds);
      return [...(await judge(it, ended, { last: 'succeeded or failed' })), ...blamedOthers(it, [bad.md5])];
    });
  },
});

const many: Case = {
  name: 'many bad pictures',
  check: async (subject) => {
    const samples = await makeSamples(subject.task, fewSamples);
    const bad = samples.filter((_, index) => index % 2 !== 0).map(({ md5 }) => md5);
    const prepare = (storage: Storage): void => {
      for (const md5 of bad) storage.blobs.set(picturePath(md5), Buffer.from('cut off'));
    };
    return attempt(subject, { samples, prepare }, async (it) => {
      const wrong = await judge(it, await it.end(wholeJobSeconds), { last: 'failed' });
      if (outputsOf(it).length > 0) wrong.push('it left outputs of half of its samples');
      return [...wrong, ...blamedOthers(it, bad)];
    });
  },
};

export const pictureCases: Case[] = [...Object.entries(ways).map(one), many];
