import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  isOpen,
  maxAttempts,
  maxPutOffs,
  newRun,
  type Run,
  type RunEvent,
  type RunState,
} from '../../../shared/training/run.ts';
import { transition } from '../../../shared/training/transition.ts';

const spec = {
  task: 'classification',
  version: { id: 'v1', number: 1 },
  trainer: { name: 'softmax', parameters: {}, timeoutSeconds: 60 },
  seed: 1,
  classes: ['a', 'b'],
  image: { width: 8, height: 8, channels: 1 as const },
  requestedBy: 'policy',
  reason: 'test',
};
const at = (second: number): string => new Date(Date.parse('2026-03-01T12:00:00Z') + second * 1000).toISOString();
const verdict = {
  ...{ decision: 'approved' as const, reasons: ['passed'], samples: 9, accuracy: 1, champion: null },
  interval: { low: 0.7, high: 1 },
};
const fresh = newRun(spec, at(0), { correlation: 'c', traceparent: null });

/** Applies events in turn; a rejection leaves the run as it is. */
function apply(run: Run, ...events: RunEvent[]): Run {
  return events.reduce((current, event) => {
    const next = transition(current, event);
    return 'rejected' in next ? current : next;
  }, run);
}
/** A claim by somebody who saw the run in its given attempt, under its token. */
const claim = (token: string, second = 0, attempt = 0, seen: string | null = null): RunEvent => ({
  ...{ kind: 'claim', token, seen: { attempt, token: seen }, at: at(second) },
});
const started = (token: string, second = 1, execution = 'e1'): RunEvent => ({
  ...{ kind: 'started', token, execution, sequence: 1, at: at(second) },
});
const heartbeat = (token: string, sequence: number, second = sequence): RunEvent => ({
  ...{ kind: 'heartbeat', token, sequence, at: at(second), progress: null },
  metrics: [{ key: 'loss', value: sequence, step: sequence }],
});
const succeeded = (token: string, second: number): RunEvent => ({
  ...{ kind: 'succeeded', token, sequence: 9, at: at(second), metrics: [] },
});
const attemptFailed = (token: string, second: number, code = 'silent', retryable = true): RunEvent => ({
  ...{ kind: 'attempt-failed', token, code, detail: 'why', retryable, at: at(second) },
});

describe('a run', () => {
  test('goes from queued to registered', () => {
    const steps: [RunEvent, RunState][] = [
      [claim('t1'), 'submitted'],
      [{ kind: 'execution-known', token: 't1', execution: 'e1' }, 'submitted'],
      [started('t1', 10), 'running'],
      [heartbeat('t1', 2, 20), 'running'],
      [succeeded('t1', 70), 'evaluating'],
      [{ kind: 'registered', model: 3, verdict, at: at(90) }, 'registered'],
    ];
    let run = fresh;
    for (const [event, state] of steps) {
      run = apply(run, event);
      expect(run.state).toBe(state);
    }
    expect(run).toMatchObject({ model: 3, verdict, attempt: 1, computeSeconds: 60, boundTo: 'e1', failure: null });
    expect([run.submittedAt, run.startedAt, run.trainedAt, run.endedAt]).toEqual([0, 10, 70, 90].map(at));
  });

  test('is bound to the execution that reports first, and to no other', () => {
    const bound = apply(fresh, claim('t1'), started('t1'));
    expect(transition(bound, started('t1', 2, 'e2'))).toHaveProperty('rejected');
    expect(apply(bound, started('t1', 2, 'e2')).boundTo).toBe('e1');
  });

  test('hears no report that is older than one it heard', () => {
    const run = apply(fresh, claim('t1'), started('t1'), heartbeat('t1', 5), heartbeat('t1', 4), heartbeat('t1', 5));
    expect(run.metrics.map((m) => m.step)).toEqual([5]);
  });

  test('begins its time and its metrics anew with every attempt', () => {
    const first = apply(fresh, claim('t1'), started('t1', 10), heartbeat('t1', 2, 20), attemptFailed('t1', 40));
    expect(first).toMatchObject({ state: 'queued', token: null, attempt: 1, computeSeconds: 30 });
    const second = apply(first, claim('t2', 100, 1));
    expect(second).toMatchObject({
      attempt: 2,
      startedAt: null,
      metrics: [],
      lastReport: null,
      failure: { code: 'silent' },
    });
    expect(apply(second, started('t2', 110), succeeded('t2', 130)).computeSeconds).toBe(50);
  });

  test('has failed for good after its last attempt, or at once when trying again is useless', () => {
    let run = fresh;
    for (let i = 1; i <= maxAttempts; i++) run = apply(run, claim(`t${i}`, 0, i - 1), attemptFailed(`t${i}`, i));
    expect(run).toMatchObject({ state: 'failed', attempt: maxAttempts });
    expect(run.attempts.map((a) => a.token)).toEqual(['t1', 't2', 't3', 't4']);
    expect(apply(fresh, claim('t1'), attemptFailed('t1', 1, 'trainer-failed', false)).state).toBe('failed');
  });

  test('loses no attempt by a start call that is put off, and has failed after a hundred of those', () => {
    let run = fresh;
    const next = (putOff: boolean): void => {
      const token = `t${run.attempt + 1}`;
      run = apply(run, claim(token, 0, run.attempt), {
        ...(attemptFailed(token, run.attempt) as Extract<RunEvent, { kind: 'attempt-failed' }>),
        ...(putOff ? { putOff } : {}),
      });
    };
    for (let i = 0; i < maxPutOffs - 1; i++) next(true);
    expect(run).toMatchObject({ state: 'queued', attempt: 99, putOffs: 99, attempts: [{ attempt: 99, putOff: true }] });
    const [afterOutage] = [run];
    for (let i = 0; i < maxAttempts; i++) next(false);
    expect(run).toMatchObject({ state: 'failed', attempt: 103 });
    expect(run.attempts).toHaveLength(5);
    run = afterOutage;
    next(true);
    expect(run).toMatchObject({ state: 'failed', failure: { retryable: true } });
  });

  test('that is stopped for its deadline fails for good, whoever is heard first', () => {
    const running = apply(fresh, claim('t1'), started('t1', 10));
    for (const code of ['terminated', 'execution-stopped']) {
      const told = apply({ ...running, stopping: 'deadline' }, attemptFailed('t1', 71, code));
      expect(told).toMatchObject({ state: 'failed', failure: { code: 'deadline', retryable: false } });
      expect(told.attempts[0]?.failure).toContain('did not end within 60 s');
    }
    // a machine that was taken away, of which nobody heard for an hour
    expect(apply(running, attemptFailed('t1', 3600, 'terminated')).state).toBe('queued');
  });

  test('that was claimed is not claimed again before its attempt has ended, and then under another token', () => {
    const claimed = apply(fresh, claim('t1'));
    expect(transition(claimed, claim('t2', 0, 1, 't1'))).toHaveProperty('rejected');
    const run = apply(claimed, attemptFailed('t1', 90, 'start-failed'), claim('t2', 95, 1));
    expect(run).toMatchObject({ attempt: 2, token: 't2' });
    expect(apply(run, { kind: 'execution-known', token: 't1', execution: 'e1' })).toBe(run);
  });

  test('is not claimed by who prepared a job for an attempt that is over: the next one waits its backoff', () => {
    const again = apply(fresh, claim('t1'), attemptFailed('t1', 1, 'start-failed'));
    expect(again).toMatchObject({ state: 'queued', attempt: 1 });
    expect(transition(again, claim('t2', 2, 0))).toHaveProperty('rejected');
    expect(transition(apply(fresh, claim('t1')), claim('t2', 2, 0))).toHaveProperty('rejected');
    expect(apply(again, claim('t2', 6, 1))).toMatchObject({ state: 'submitted', attempt: 2 });
  });

  test('that is being cancelled is not claimed, and ends as cancelled when its attempt ends', () => {
    const asked = { ...apply(fresh, claim('t1')), cancelRequested: true };
    expect(apply(asked, attemptFailed('t1', 5)).state).toBe('cancelled');
    expect(transition({ ...fresh, cancelRequested: true }, claim('t1'))).toHaveProperty('rejected');
  });

  test('that is being cancelled comes to no other end, whatever its evaluation says', () => {
    const evaluating = apply(fresh, claim('t1'), started('t1'), succeeded('t1', 9));
    const asked = { ...evaluating, cancelRequested: true };
    for (const kind of ['registered', 'rejected'] as const)
      expect(transition(asked, { kind, model: 1, verdict, at: at(10) })).toHaveProperty('rejected');
    expect(apply(asked, { kind: 'failed', code: 'bad-model', detail: 'why', at: at(10) }).state).toBe('cancelled');
  });

  test('does not go back to the queue when only the answer to its start call was lost', () => {
    const running = apply(fresh, claim('t1'), started('t1'));
    expect(apply(running, attemptFailed('t1', 5, 'start-failed'))).toBe(running);
    const known = apply(fresh, claim('t1'), { kind: 'execution-known', token: 't1', execution: 'e1' });
    expect(apply(known, attemptFailed('t1', 5, 'start-failed'))).toBe(known);
    expect(apply(running, attemptFailed('t1', 5, 'silent')).state).toBe('queued');
  });

  test('keeps a bounded history of metrics', () => {
    const many: RunEvent[] = Array.from({ length: 2500 }, (_, i) => heartbeat('t1', i + 2, 5));
    const run = apply(fresh, claim('t1'), started('t1'), ...many);
    expect([run.metrics.length, run.metrics.at(-1)?.step]).toEqual([2000, 2501]);
  });
});

const token = fc.constantFrom('t1', 't2', 't3');
const second = fc.integer({ min: -600, max: 600 });
const event: fc.Arbitrary<RunEvent> = fc.oneof(
  fc
    .tuple(token, second, fc.integer({ min: 0, max: maxAttempts }), fc.option(token))
    .map(([t, s, attempt, seen]) => claim(t, s, attempt, seen)),
  fc
    .tuple(token, fc.constantFrom('e1', 'e2'))
    .map(([t, execution]): RunEvent => ({ kind: 'execution-known', token: t, execution })),
  fc.tuple(token, second, fc.constantFrom('e1', 'e2')).map(([t, s, e]) => started(t, s, e)),
  fc.tuple(token, fc.integer({ min: 1, max: 9 }), second).map(([t, n, s]) => heartbeat(t, n, s)),
  fc.tuple(token, second).map(([t, s]) => succeeded(t, s)),
  fc
    .tuple(token, second, fc.constantFrom('silent', 'start-failed'), fc.boolean())
    .map(([t, s, c, r]) => attemptFailed(t, s, c, r)),
  fc.tuple(token, second).map(([t, s]): RunEvent => ({
    ...(attemptFailed(t, s) as Extract<RunEvent, { kind: 'attempt-failed' }>),
    putOff: true,
  })),
  second.map((s): RunEvent => ({ kind: 'failed', code: 'bad-model', detail: 'why', at: at(s) })),
  second.map((s): RunEvent => ({ kind: 'cancel', by: null, detail: 'why', at: at(s) })),
  fc
    .tuple(fc.constantFrom('registered' as const, 'rejected' as const), second)
    .map(([kind, s]): RunEvent => ({ kind, model: 1, verdict, at: at(s) })),
);
const order: RunState[] = ['queued', 'submitted', 'running', 'evaluating'];

test('whatever is told in whatever order: a run only moves forward, its end is final, late writers are fenced', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      let run = fresh;
      for (const e of events) {
        const next = transition(run, e);
        if ('rejected' in next) {
          expect(next.rejected).not.toBe('');
          continue;
        }
        expect(isOpen(run.state)).toBe(true);
        // only a new attempt goes back, and it is always a later one
        const back = isOpen(next.state) && order.indexOf(next.state) < order.indexOf(run.state);
        if (back) expect(next).toMatchObject({ state: 'queued', token: null });
        expect(next.attempt).toBeGreaterThanOrEqual(run.attempt);
        expect(next.attempt - (next.putOffs ?? 0)).toBeLessThanOrEqual(maxAttempts);
        expect(next.computeSeconds).toBeGreaterThanOrEqual(run.computeSeconds);
        if (next.state === 'registered' || next.state === 'rejected') expect(run.state).toBe('evaluating');
        if (e.kind === 'claim') expect(e.seen).toEqual({ attempt: run.attempt, token: run.token });
        else if ('token' in e) expect(e.token).toBe(run.token);
        if (next.boundTo !== run.boundTo && next.boundTo !== null) expect(run.boundTo).toBeNull();
        expect(next.endedAt === null).toBe(isOpen(next.state));
        run = next;
      }
    }),
    { numRuns: 1000 },
  );
});
