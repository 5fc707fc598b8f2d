/** What training relies on of compute: executions that are found by what they were started with, and end in a state. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { Compute, Execution, ExecutionState } from '../../shared/ports.ts';
import type { Open, Subject } from './subject.ts';

const patienceMs = 60_000;

/**
 * Registers the tests of a compute port; none of them for a subject without it. `startsTwice`: whether it starts again what
 * it was asked to start before.
 */
export function computeConforms(
  open: Open,
  which: 'compute' | 'machineLearning',
  { startsTwice }: { startsTwice: boolean },
): void {
  let subject: Subject;
  let compute: Compute;
  beforeAll(async () => {
    subject = await open();
    if (subject[which] !== undefined) compute = subject[which];
  });
  let made = 0;
  const start = async (environment: Record<string, string>): Promise<string> => {
    const { execution } = await compute.start({ DARKROOM_RUN: `${subject.unique}-${++made}`, ...environment });
    return execution;
  };
  const until = async (execution: string, state: ExecutionState): Promise<Execution> => {
    let seen: Execution | undefined;
    for (const end = subject.now() + patienceMs; subject.now() < end; await subject.sleep(100)) {
      seen = await compute.get(execution);
      if (seen?.state === state) return seen;
    }
    throw new Error(`${execution} is ${seen?.state}, not ${state}`);
  };

  describe('an execution', () => {
    test('is found by its name and by what it was started with, while it runs and afterwards', async ({ skip }) => {
      if (subject[which] === undefined) return skip();
      const name = await start({ SLEEP_MS: '1000', DARKROOM_TOKEN: 'ü "quoted" $HOME' });
      const environment = { DARKROOM_RUN: `${subject.unique}-${made}`, DARKROOM_TOKEN: 'ü "quoted" $HOME' };
      const sought = (await compute.list(environment)).filter(
        (one) => one.environment['DARKROOM_RUN'] === environment.DARKROOM_RUN,
      );
      expect(sought.map((one) => one.name)).toEqual([name]);
      const found = (await compute.list()).filter(
        ({ environment }) => environment['DARKROOM_RUN'] === `${subject.unique}-${made}`,
      );
      expect(found.map((one) => one.name)).toEqual([name]);
      expect(['pending', 'running']).toContain(found[0]?.state);
      const ended = await until(name, 'succeeded');
      expect(ended.environment).toMatchObject({ SLEEP_MS: '1000', DARKROOM_TOKEN: 'ü "quoted" $HOME' });
      expect(Date.parse(ended.startedAt ?? '')).not.toBeNaN();
      expect((await compute.list()).some((one) => one.name === name)).toBe(true);
    });

    test('that ends with another exit code than 0 has failed', async ({ skip }) => {
      if (subject[which] === undefined) return skip();
      await until(await start({ EXIT_CODE: '3' }), 'failed');
    });

    test(`is ${startsTwice ? 'another one at every start: starting is not idempotent' : 'the same one when a start is repeated'}`, async ({
      skip,
    }) => {
      if (subject[which] === undefined) return skip();
      const environment = { DARKROOM_RUN: `${subject.unique}-twice` };
      const names = [await start(environment), await start(environment)];
      expect(new Set(names).size).toBe(startsTwice ? 2 : 1);
      for (const name of names) await until(name, 'succeeded');
    });

    test('is stopped, and stays so', async ({ skip }) => {
      if (subject[which] === undefined) return skip();
      const name = await start({ SLEEP_MS: '50000' });
      await compute.stop(name);
      await until(name, 'stopped');
      await compute.stop(name);
      expect((await compute.get(name))?.state).toBe('stopped');
    });

    test('that has ended is not changed by a stop', async ({ skip }) => {
      if (subject[which] === undefined) return skip();
      const name = await start({});
      await until(name, 'succeeded');
      await compute.stop(name);
      expect((await compute.get(name))?.state).toBe('succeeded');
    });

    test('that never was is undefined, and stopping it is no error', async ({ skip }) => {
      if (subject[which] === undefined) return skip();
      expect(await compute.get('trainer-never')).toBeUndefined();
      await compute.stop('trainer-never');
    });
  });
}
