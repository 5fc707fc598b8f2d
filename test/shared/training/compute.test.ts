import { describe, expect, test } from 'vitest';
import type { Compute } from '../../../shared/ports.ts';
import { computeOf, missingCompute, startTimeoutSeconds } from '../../../shared/training/compute.ts';
import { diagnose } from '../../../shared/training/diagnose.ts';
import { whyIdle } from '../../../shared/training/why-idle.ts';
import { commitVersion, trainable } from '../evaluation/trainable.ts';

const named = (execution: string): Compute => ({
  start: async () => ({ execution }),
  list: async () => [],
  get: async () => undefined,
  stop: async () => undefined,
});
const usual = named('usual');
const other = named('other');
const there = { trainer: { compute: 'azure-ml' as const } };

describe('the compute of a run', () => {
  test('is that of everybody where nothing was chosen, or that was', async () => {
    for (const trainer of [{}, { compute: 'container-apps' as const }])
      expect(computeOf({ compute: usual, otherComputes: { 'azure-ml': other } }, { trainer })).toBe(usual);
  });

  test('is the chosen one where the environment has it', () => {
    expect(computeOf({ compute: usual, otherComputes: { 'azure-ml': other } }, there)).toBe(other);
    expect(missingCompute({ otherComputes: { 'azure-ml': other } }, there)).toBeUndefined();
  });

  test('that the environment has no more knows no execution, and starts none', async () => {
    const gone = computeOf({ compute: usual }, there);
    expect(await gone.get('darkroom-1')).toBeUndefined();
    expect(await gone.list()).toEqual([]);
    await gone.stop('darkroom-1');
    await expect(gone.start({})).rejects.toMatchObject({ name: 'TerminalError', code: 'compute-unavailable' });
  });

  test('has longer to make a machine where machines are made for it', async () => {
    const it = await trainable();
    const { run } = await it.ask();
    const document = { ...(await it.run(run)), state: 'submitted' as const, submittedAt: '2026-01-01T00:00:00.000Z' };
    const execution = { name: 'e', state: 'pending' as const, environment: {}, startedAt: undefined };
    const later = (seconds: number) => new Date(Date.parse(document.submittedAt) + seconds * 1000);
    const onMachineLearning = { ...document, trainer: { ...document.trainer, ...there.trainer } };
    expect(diagnose(document, execution, later(901))?.code).toBe('start-timeout');
    expect(diagnose(onMachineLearning, execution, later(901))).toBeUndefined();
    expect(diagnose(onMachineLearning, execution, later(startTimeoutSeconds(there) + 1))?.code).toBe('start-timeout');
  });
});

test('a project that wants what the environment lacks says so, and a version starts no training', async () => {
  const it = await trainable(there);
  const version = await commitVersion(it.world, 1, 60);
  const now = it.world.ports.clock.now();
  const why = whyIdle(it.project.settings, version, undefined, now, it.world.ports);
  expect(why).toMatchObject({ code: 'compute-unavailable' });
  expect(why?.detail).toContain('trainer.compute is "azure-ml"');
  it.world.ports.otherComputes = { 'azure-ml': other };
  expect(whyIdle(it.project.settings, version, undefined, now, it.world.ports)?.code).not.toBe('compute-unavailable');
});
