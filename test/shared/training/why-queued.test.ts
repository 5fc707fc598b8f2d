import { describe, expect, test } from 'vitest';
import { whyQueued } from '../../../shared/training/why-queued.ts';
import { newScheduler, type Request } from '../../../shared/training/scheduler.ts';

const now = new Date('2026-03-01T12:00:00Z');
const free = { maxPerDay: 100, computeSecondsPerDay: 1e9, cooldownSeconds: 0 };
const asked = (run: string): Request => ({
  run,
  spec: {
    task: 'classification',
    version: { id: 'v1', number: 1 },
    trainer: { name: 'softmax', parameters: {}, timeoutSeconds: 60 },
    seed: 1,
    classes: ['a', 'b'],
    image: { width: 8, height: 8, channels: 1 },
    requestedBy: 'policy',
    reason: 'test',
  },
  samples: 100,
  at: now.toISOString(),
});
const run = {
  id: 'mine',
  state: 'queued' as const,
  attempt: 0,
  failure: null,
  submittedAt: null,
  requestedBy: 'policy',
};
const waiting = { ...newScheduler, waiting: asked('mine') };

describe('a training that does not run yet', () => {
  test('names the one that has to end first', () => {
    expect(whyQueued(run, { ...waiting, active: asked('other') }, free, now)).toBe('Training other has to end first.');
  });

  test('names the limit that holds it back, for how long, and the setting', () => {
    const busy = { ...waiting, lastStartedAt: '2026-03-01T11:59:00Z' };
    expect(whyQueued(run, busy, { ...free, cooldownSeconds: 90 }, now)).toMatch(/began less than 90 s ago; wait 30 s/);
    // an operator who asks has decided
    expect(whyQueued({ ...run, requestedBy: 'ann' }, busy, { ...free, cooldownSeconds: 90 }, now)).toMatch(/its turn/);
    const spent = { ...waiting, day: '2026-03-01', startedToday: 2 };
    expect(whyQueued(run, spent, { ...free, maxPerDay: 2 }, now)).toMatch(/retrain\.maxPerDay/);
  });

  test('says that it is its turn, or that its last attempt ended', () => {
    const active = { ...newScheduler, active: asked('mine') };
    expect(whyQueued(run, active, free, now)).toMatch(/its turn/);
    const failure = { code: 'terminated', detail: '', retryable: true };
    expect(whyQueued({ ...run, attempt: 1, failure }, active, free, now)).toMatch(
      /Attempt 1 ended as terminated; the next begins after/,
    );
    const retryAt = '2026-03-01T12:00:05.000Z';
    expect(whyQueued({ ...run, attempt: 1, failure, retryAt }, active, free, now)).toContain(`begins at ${retryAt}.`);
  });

  test('says that compute was asked, and nothing once the job reports or the run has ended', () => {
    const submitted = { ...run, state: 'submitted' as const, submittedAt: '2026-03-01T11:59:00Z' };
    expect(whyQueued(submitted, undefined, free, now)).toMatch(/asked for a machine at 2026-03-01T11:59:00Z/);
    for (const state of ['running', 'evaluating', 'registered', 'failed'] as const)
      expect(whyQueued({ ...run, state }, undefined, free, now)).toBeNull();
  });
});
