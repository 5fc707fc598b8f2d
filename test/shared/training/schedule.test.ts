import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Ended, release } from '../../../shared/training/release.ts';
import { type Limits, limitsFor, secondsUntilAllowed } from '../../../shared/training/limits.ts';
import { newScheduler, type Request, samplesTriedOn, type Scheduler } from '../../../shared/training/scheduler.ts';
import { schedule } from '../../../shared/training/schedule.ts';

const noon = new Date('2026-03-01T12:00:00Z');
const later = (seconds: number, from = noon): Date => new Date(from.getTime() + seconds * 1000);
const free: Limits = { maxPerDay: 100, computeSecondsPerDay: 1e9, cooldownSeconds: 0 };

const asked = (run: string, version = 1, requestedBy = 'policy'): Request => ({
  run,
  spec: {
    task: 'classification',
    version: { id: `v${version}`, number: version },
    trainer: { name: 'softmax', parameters: {}, timeoutSeconds: 60 },
    seed: 1,
    classes: ['a', 'b'],
    image: { width: 8, height: 8, channels: 1 },
    requestedBy,
    reason: 'test',
  },
  samples: version * 100,
  at: noon.toISOString(),
});
const ended = (run: string, computeSeconds = 10) => ({ run, computeSeconds, failedByCompute: false });
const always = (limits: Limits) => () => limits;

/** Asks for several runs in turn; returns the scheduler and the decisions. */
function askAll(requests: Request[], limits = free, from: Scheduler = newScheduler) {
  let scheduler = from;
  const decisions = requests.map((r) => {
    const decided = schedule(scheduler, r, limits, noon);
    scheduler = decided.scheduler;
    return decided.decision;
  });
  return { scheduler, decisions };
}

describe('requests', () => {
  test('the first starts, the second waits, an older or equal third is coalesced into the second', () => {
    const { decisions } = askAll([asked('a', 1), asked('b', 2), asked('c', 2)]);
    expect(decisions).toEqual([
      { decision: 'start', run: 'a' },
      { decision: 'wait', behind: 'a' },
      { decision: 'coalesced', into: 'b' },
    ]);
  });

  test('one of a newer version takes the place of the one that waits, which learns where its work went', () => {
    const { scheduler, decisions } = askAll([asked('a', 1), asked('b', 2), asked('c', 3), asked('d', 4)]);
    expect(scheduler.waiting?.run).toBe('d');
    expect(decisions.at(-1)).toEqual({ decision: 'wait', behind: 'a' });
    for (const gone of ['b', 'c'])
      expect(schedule(scheduler, asked(gone, 2), free, noon).decision).toEqual({ decision: 'coalesced', into: 'd' });
  });

  test('a storm of a thousand costs two jobs, and each request learns what became of it', () => {
    const storm = Array.from({ length: 1000 }, (_, i) => asked(`r${i}`, 1 + (i % 7)));
    const { scheduler, decisions } = askAll(storm);
    expect(decisions.filter((v) => v.decision === 'start')).toHaveLength(1);
    expect(scheduler.waiting?.spec.version.number).toBe(7);
    // those that change nothing leave no trace, so that nobody else's write is in their way
    expect(scheduler.decided).toHaveLength(6);
    expect(schedule(scheduler, asked('late', 7), free, noon).scheduler).toBe(scheduler);
    expect(new Set(decisions.map((v) => v.decision))).toEqual(new Set(['start', 'wait', 'coalesced']));
  });
});

describe('limits', () => {
  test('a cooldown refuses when nothing waits, and says how long', () => {
    const limits = { ...free, cooldownSeconds: 100 };
    const first = schedule(newScheduler, asked('a'), limits, noon).scheduler;
    const idle = release(first, ended('a'), always(limits), later(10));
    expect(schedule(idle, asked('b', 2), limits, later(40)).decision).toMatchObject({
      decision: 'refused',
      code: 'cooldown',
      retryAfterSeconds: 60,
    });
    expect(schedule(idle, asked('b', 2), limits, later(100)).decision).toEqual({ decision: 'start', run: 'b' });
  });

  test('a run that waits out a cooldown begins when it is over, though no run ends then', () => {
    const limits = { ...free, cooldownSeconds: 100 };
    const { scheduler } = askAll([asked('a', 1), asked('b', 2)], limits);
    const held = release(scheduler, ended('a'), always(limits), later(10));
    expect(held).toMatchObject({ active: null, waiting: { run: 'b' } });
    expect(release(held, null, always(limits), later(99))).toBe(held);
    expect(release(held, null, always(limits), later(100))).toMatchObject({ active: { run: 'b' }, waiting: null });
  });

  test('a request that finds one held back starts it or takes its place once the limits allow it', () => {
    const limits = { ...free, cooldownSeconds: 100 };
    const { scheduler } = askAll([asked('a', 1), asked('b', 2)], limits);
    const held = release(scheduler, ended('a'), always(limits), later(10));
    const newer = schedule(held, asked('c', 3), limits, later(100));
    expect(newer).toMatchObject({ decision: { decision: 'start', run: 'c' }, scheduler: { waiting: null } });
    const older = schedule(held, asked('d', 2), limits, later(100));
    expect(older).toMatchObject({
      decision: { decision: 'coalesced', into: 'b' },
      scheduler: { active: { run: 'b' } },
    });
    const tooEarly = schedule(held, asked('e', 3), limits, later(50));
    expect(tooEarly).toMatchObject({ decision: { decision: 'wait', behind: null }, scheduler: { active: null } });
  });

  test('the cooldown binds the policy alone', () => {
    const limits = { ...free, cooldownSeconds: 100 };
    expect(limitsFor(limits, 'policy').cooldownSeconds).toBe(100);
    expect(limitsFor(limits, 'operator-key').cooldownSeconds).toBe(0);
  });

  test('so many begin on a UTC day and no more; at midnight the count begins anew', () => {
    const limits = { ...free, maxPerDay: 2 };
    let scheduler = newScheduler;
    for (const run of ['a', 'b']) {
      scheduler = schedule(scheduler, asked(run), limits, noon).scheduler;
      scheduler = release(scheduler, ended(run), always(limits), noon);
    }
    expect(schedule(scheduler, asked('c'), limits, noon).decision).toMatchObject({
      code: 'daily-limit',
      retryAfterSeconds: 12 * 3600,
    });
    const midnight = later(12 * 3600);
    expect(schedule(scheduler, asked('c'), limits, midnight).decision.decision).toBe('start');
  });

  test('a clock that is behind at midnight does not open yesterday again', () => {
    const limits = { ...free, maxPerDay: 1 };
    const tomorrow = later(12 * 3600 + 60);
    const scheduler = release(
      schedule(newScheduler, asked('a'), limits, tomorrow).scheduler,
      ended('a'),
      always(limits),
      tomorrow,
    );
    const behind = later(-600, tomorrow);
    expect(secondsUntilAllowed(scheduler, limits, behind)).toEqual({ code: 'daily-limit', seconds: 86_400 + 540 });
    expect(schedule(scheduler, asked('b'), limits, behind).scheduler).toBe(scheduler);
  });

  test('seconds of compute count against the day on which a run ended, and refuse the next', () => {
    const limits = { ...free, computeSecondsPerDay: 100 };
    let scheduler = schedule(newScheduler, asked('a'), limits, noon).scheduler;
    scheduler = release(scheduler, ended('a', 60.4), always(limits), noon);
    expect(scheduler.computeSecondsToday).toBe(60);
    scheduler = schedule(scheduler, asked('b'), limits, noon).scheduler;
    expect(scheduler.active?.run).toBe('b');
    scheduler = release(scheduler, ended('b', 41), always(limits), noon);
    const refused = schedule(scheduler, asked('c'), limits, noon).decision;
    expect(refused).toMatchObject({ code: 'compute-limit', retryAfterSeconds: 12 * 3600 });
    expect(schedule(scheduler, asked('c'), limits, later(12 * 3600)).decision.decision).toBe('start');
  });

  test('a limit of nothing starts nothing', () => {
    expect(schedule(newScheduler, asked('a'), { ...free, maxPerDay: 0 }, noon).decision).toMatchObject({
      code: 'daily-limit',
    });
    expect(schedule(newScheduler, asked('a'), { ...free, computeSecondsPerDay: 0 }, noon).decision).toMatchObject({
      code: 'compute-limit',
    });
  });
});

describe('release', () => {
  test('of a run that waits gives its place up, and of one unknown changes nothing', () => {
    const { scheduler } = askAll([asked('a', 1), asked('b', 2)]);
    expect(release(scheduler, ended('b'), always(free), noon)).toMatchObject({ active: { run: 'a' }, waiting: null });
    expect(release(scheduler, ended('z'), always(free), noon)).toBe(scheduler);
  });

  test('told twice counts once', () => {
    const { scheduler } = askAll([asked('a')]);
    const once = release(scheduler, ended('a', 30), always(free), noon);
    expect(release(once, ended('a', 30), always(free), noon)).toBe(once);
    expect(once.computeSecondsToday).toBe(30);
  });
});

describe('the samples that a new version is compared with', () => {
  const after = (...runs: [Request, Partial<Ended>?][]): number =>
    samplesTriedOn(
      runs.reduce((scheduler, [one, how]) => {
        const begun = schedule(scheduler, one, free, noon).scheduler;
        return release(begun, { ...ended(one.run), ...how }, always(free), noon);
      }, newScheduler),
    );

  test('are those of the largest that was tried, or is being tried', () => {
    expect(samplesTriedOn(askAll([asked('a', 3)]).scheduler)).toBe(300);
    expect(after([asked('a', 3)])).toBe(300);
    expect(after([asked('a', 3)], [asked('b', 1, 'someone')])).toBe(300);
  });

  test('are not those of a run that compute failed: the next version is to train, however little it adds', () => {
    expect(after([asked('a', 3), { failedByCompute: true }])).toBe(0);
    expect(after([asked('a', 2)], [asked('b', 3), { failedByCompute: true }])).toBe(200);
  });
});

type Command =
  | { kind: 'request'; run: number; version: number; manual: boolean }
  | { kind: 'release'; which: 'active' | 'waiting' | 'other' | 'nobody' }
  | { kind: 'pass'; seconds: number };
const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({
    kind: fc.constant('request' as const),
    run: fc.nat(15),
    version: fc.integer({ min: 1, max: 5 }),
    manual: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('release' as const),
    which: fc.constantFrom('active', 'active', 'waiting', 'other', 'nobody'),
  }),
  fc.record({ kind: fc.constant('pass' as const), seconds: fc.constantFrom(-600, 1, 30, 3600, 50_000) }),
);
const someLimits = fc.record({
  maxPerDay: fc.integer({ min: 0, max: 4 }),
  computeSecondsPerDay: fc.constantFrom(0, 25, 1e6),
  cooldownSeconds: fc.constantFrom(0, 60),
});

test('whatever comes in whatever order: one run at a time, none begins twice, none beyond the limits, none is stuck', () => {
  fc.assert(
    fc.property(someLimits, fc.array(command, { maxLength: 60 }), (limits, commands) => {
      let now = noon;
      let scheduler: Scheduler = newScheduler;
      const begun: string[] = [];
      const startsPerDay = new Map<string, number>();
      const limitsOf = (r: Request): Limits => limitsFor(limits, r.spec.requestedBy);
      const advance = (next: Scheduler): void => {
        const { active } = next;
        if (active !== null && active.run !== scheduler.active?.run) {
          expect(begun).not.toContain(active.run);
          begun.push(active.run);
          startsPerDay.set(next.day, (startsPerDay.get(next.day) ?? 0) + 1);
        }
        expect(next.day >= scheduler.day).toBe(true);
        expect(next.active === null || next.active.run !== next.waiting?.run).toBe(true);
        scheduler = next;
      };
      const runOf = (which: string): string =>
        which === 'active'
          ? (scheduler.active?.run ?? 'x')
          : which === 'waiting'
            ? (scheduler.waiting?.run ?? 'x')
            : 'x';
      for (const c of commands) {
        if (c.kind === 'pass') now = later(c.seconds, now);
        else if (c.kind === 'release')
          advance(release(scheduler, c.which === 'nobody' ? null : ended(runOf(c.which)), limitsOf, now));
        else {
          const by = c.manual ? 'someone' : 'policy';
          const { scheduler: next, decision } = schedule(
            scheduler,
            asked(`r${c.run}`, c.version, by),
            limitsFor(limits, by),
            now,
          );
          advance(next);
          if (decision.decision === 'refused') expect(decision.retryAfterSeconds).toBeGreaterThan(0);
          if (decision.decision === 'wait') expect(scheduler.waiting?.run).toBe(`r${c.run}`);
          // asked again it gets the same answer
          if (decision.decision !== 'refused')
            expect(schedule(scheduler, asked(`r${c.run}`, c.version, by), limitsFor(limits, by), now).decision).toEqual(
              decision,
            );
        }
      }
      for (const starts of startsPerDay.values()) expect(starts).toBeLessThanOrEqual(limits.maxPerDay);
      // with nothing to hold it back whatever waits begins in the end
      const last = release(
        scheduler,
        scheduler.active === null ? null : ended(scheduler.active.run),
        always(free),
        now,
      );
      expect(last.waiting).toBeNull();
    }),
    { numRuns: 500 },
  );
});
