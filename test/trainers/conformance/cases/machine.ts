/** Machines that lack something. */
import { attempt } from '../attempt.ts';
import { type Case, fewSamples, wholeJobSeconds } from '../case.ts';
import { judge, reportsOf } from '../judge.ts';
import { makeSamples } from '../samples.ts';

/**
 * No file can grow beyond one block, which a program meets as it meets a full disk: every write fails (EFBIG for ENOSPC).
 * The signal that comes with it is ignored, as everything that is started inherits.
 */
const withFullDisk = (command: string): string => `trap '' XFSZ; ulimit -f 1; ${command}`;

const fullDisk: Case = {
  name: 'full disk',
  check: async (subject) => {
    const order = { samples: await makeSamples(subject.task, fewSamples), wrap: withFullDisk };
    return attempt(subject, order, async (it) =>
      judge(it, await it.end(wholeJobSeconds), { last: 'succeeded or failed' }),
    );
  },
};

const noGpu: Case = {
  name: 'no GPU',
  takes: 'seconds',
  check: async (subject) => {
    const environment = { CUDA_VISIBLE_DEVICES: '', NVIDIA_VISIBLE_DEVICES: 'none' };
    return attempt(subject, { samples: await makeSamples(subject.task, fewSamples), environment }, async (it) => {
      const wrong = await judge(it, await it.end(wholeJobSeconds), { last: 'succeeded' });
      const first = reportsOf(it)[0];
      const machine = first?.kind === 'started' ? first.machine : undefined;
      if (machine !== undefined && (machine.executionProvider !== 'cpu' || machine.accelerator !== undefined))
        wrong.push(`it says that it computes on ${machine.executionProvider} ${machine.accelerator ?? ''}`);
      return wrong;
    });
  },
};

export const machineCases: Case[] = [fullDisk, noGpu];
