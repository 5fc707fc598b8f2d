import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Endpoint, type EndpointEvent, newEndpoint, type Target } from '../../../shared/endpoint/endpoint.ts';
import { rollbackTarget } from '../../../shared/endpoint/rollback-target.ts';
import { chooseTarget } from '../../../shared/endpoint/choose-target.ts';
import { transition } from '../../../shared/endpoint/transition.ts';

const noon = '2026-03-01T12:00:00.000Z';
const target = (model: number, deployment = `d-${model}`): Target => ({ model, digest: `digest-${model}`, deployment });
const trial = { percent: 20, minRequests: 10, maxErrorRate: 0.1, durationSeconds: 60 };

type Deploy = Extract<EndpointEvent, { kind: 'deploy' }>;
const deploy = (model: number, more: Partial<Deploy> = {}): Deploy => ({
  ...{
    kind: 'deploy',
    target: target(model),
    canary: null,
    keepNewer: false,
    by: 'pipeline',
    reason: 'approved',
    at: noon,
  },
  ...more,
});
const rollback = (deployment: string): EndpointEvent => ({
  ...{ kind: 'rollback', by: 'operator', reason: 'wrong answers', at: noon, deployment },
});

/** Applies events in turn; throws where one is rejected. */
function apply(...events: EndpointEvent[]): Endpoint {
  return events.reduce((endpoint: Endpoint, event) => {
    const next = transition(endpoint, event);
    if ('rejected' in next) throw new Error(next.rejected);
    return next;
  }, newEndpoint);
}
const story = ({ history }: Endpoint): string[] => history.map((h) => `${h.model} ${h.state}`).reverse();

describe('an endpoint', () => {
  test('serves the model deployed last and keeps the one before for rollback', () => {
    const endpoint = apply(deploy(1), deploy(2), rollback('b-1'));
    expect([endpoint.production?.model, endpoint.previous]).toEqual([1, null]);
    expect(story(endpoint)).toEqual(['1 live', '1 retired', '2 live', '2 rolled-back', '1 live']);
    expect(endpoint.history[0]?.reason).toBe('rollback: wrong answers');
  });

  test('takes a deployment of somebody who has seen it as it is, and records one of somebody who has not', () => {
    const seen = apply(deploy(1), deploy(2, { seenRevision: 1 }));
    expect(seen.production?.model).toBe(2);
    const late = apply(deploy(1), deploy(2, { seenRevision: 1 }), deploy(3, { seenRevision: 1 }));
    expect(late.production?.model).toBe(2);
    expect(late.revision).toBe(seen.revision);
    expect(late.history[0]).toMatchObject({
      model: 3,
      state: 'failed',
      reason: expect.stringContaining('changed since'),
    });
    expect(() => transition(late, deploy(3, { seenRevision: late.revision }))).not.toThrow();
    expect(transition(late, deploy(3, { seenRevision: late.revision }))).toHaveProperty('rejected');
  });

  test('goes further back with a second rollback, never to a model that was rolled back, and is refused in the end', () => {
    const three = [deploy(1), deploy(2), deploy(3)];
    const back = apply(...three, rollback('b-1'), rollback('b-2'));
    expect([apply(...three).previous?.model, back.production?.model, back.previous]).toEqual([2, 1, null]);
    expect(transition(back, rollback('b-3'))).toEqual({ rejected: 'there is no earlier model to return to' });
    // the next model is no better: from it the way leads to the one that was kept
    const next = apply(...three, rollback('b-1'), rollback('b-2'), deploy(4), rollback('b-3'));
    expect([next.production?.model, next.previous]).toEqual([1, null]);
  });

  test('may return to a model that was rolled back once somebody deployed it again', () => {
    const again = deploy(2, { target: target(2, 'o-2') });
    const endpoint = apply(deploy(1), deploy(2), rollback('b-1'), again, deploy(3), rollback('b-2'));
    expect([endpoint.production?.model, endpoint.previous?.model]).toEqual([2, 1]);
  });

  test('does not return to a model whose trial failed since, nor to one that was rejected', () => {
    const failed = apply(deploy(1), deploy(2), deploy(3), deploy(2, { target: target(2, 'o-2'), canary: trial }), {
      kind: 'return',
      deployment: 'o-2',
      reason: 'errors',
      at: noon,
    });
    expect(failed.previous?.model).toBe(1);
    const without2 = transition(apply(deploy(1), deploy(2), deploy(3)), {
      ...rollback('b-1'),
      rejected: [2],
    } as EndpointEvent);
    expect(without2).toMatchObject({ production: { model: 1 } });
  });

  test('that a release before rolled back, which kept the model that it left, does not return to that', () => {
    const left = { ...apply(deploy(1), deploy(2), rollback('b-1')), previous: target(2) };
    expect(rollbackTarget(left)).toBeNull();
    expect(transition(left, rollback('b-2'))).toHaveProperty('rejected');
  });

  test('has nothing to roll back to before its second model', () => {
    expect(() => apply(rollback('b-1'))).toThrow('no earlier model');
    expect(() => apply(deploy(1), rollback('b-1'))).toThrow('no earlier model');
  });

  test('handles a deployment, a failure and a rollback once, however often they are told', () => {
    expect(() => apply(deploy(1), deploy(1))).toThrow('handled before');
    expect(() => apply(deploy(1), deploy(2), rollback('b-1'), rollback('b-1'))).toThrow('done before');
    const failed: EndpointEvent = { kind: 'fail', target: target(2), reason: 'no', by: 'pipeline', at: noon };
    expect(() => apply(failed, failed)).toThrow('handled before');
    expect(() => apply(failed, deploy(2))).toThrow('handled before');
  });

  test('stays as it is when a deployment fails or brings the model that is live already', () => {
    const endpoint = apply(deploy(1), { kind: 'fail', target: target(2), reason: 'no', by: 'pipeline', at: noon });
    expect(endpoint.production?.model).toBe(1);
    const same = apply(deploy(1), deploy(1, { target: { ...target(1), deployment: 'o-1' } }));
    expect([same.production?.deployment, same.revision]).toEqual(['d-1', 1]);
  });

  test('is not turned back by a message that was overtaken, but by an operator', () => {
    const late = apply(deploy(1), deploy(3, { keepNewer: true }), deploy(2, { keepNewer: true }));
    expect(late.production?.model).toBe(3);
    expect(late.history[0]).toMatchObject({
      model: 2,
      state: 'retired',
      reason: 'model 3, which is newer, came first',
    });
    expect(apply(deploy(3), deploy(2)).production?.model).toBe(2);
    const onTrial = apply(deploy(1), deploy(3, { canary: trial }), deploy(2, { canary: trial, keepNewer: true }));
    expect(onTrial.canary?.model).toBe(3);
  });
});

describe('a canary', () => {
  const onTrial = apply(deploy(1), deploy(2, { canary: trial }));

  test('gets its share of the requests and no more', () => {
    const models = Array.from({ length: 1000 }, (_, i) => chooseTarget(onTrial, i / 1000)?.target.model);
    expect(models.filter((m) => m === 2)).toHaveLength(200);
    expect(chooseTarget(onTrial, 0.9999)).toMatchObject({ role: 'production', target: { model: 1 } });
    expect(chooseTarget(newEndpoint, 0)).toBeUndefined();
  });

  test('ends after its time', () => {
    expect(onTrial.canary).toMatchObject({ startedAt: noon, endsAt: '2026-03-01T12:01:00.000Z', percent: 20 });
  });

  test('is promoted to production, or returned and production stays', () => {
    const promoted = transition(onTrial, { kind: 'promote', deployment: 'd-2', reason: 'well', at: noon });
    expect(promoted).toMatchObject({ production: { model: 2 }, previous: { model: 1 }, canary: null });
    const returned = transition(onTrial, { kind: 'return', deployment: 'd-2', reason: 'ill', at: noon });
    expect(returned).toMatchObject({ production: { model: 1 }, previous: null, canary: null });
    for (const kind of ['promote', 'return'] as const)
      expect(transition(onTrial, { kind, deployment: 'd-1', reason: '', at: noon })).toHaveProperty('rejected');
  });

  test('goes live when somebody who has seen it deploys it, and ends when they deploy the live model', () => {
    const again = (model: number, seenRevision?: number) =>
      transition(onTrial, deploy(model, { target: target(model, 'o-1'), canary: trial, seenRevision })) as Endpoint;
    expect(again(2, onTrial.revision)).toMatchObject({
      production: { model: 2, deployment: 'o-1' },
      previous: { model: 1 },
      canary: null,
    });
    expect(story(again(2, onTrial.revision))).toEqual(['1 live', '2 canary', '2 retired', '1 retired', '2 live']);
    expect(again(1, onTrial.revision)).toMatchObject({
      production: { model: 1, deployment: 'd-1' },
      previous: null,
      canary: null,
    });
    expect(story(again(1, onTrial.revision)).slice(2)).toEqual(['1 retired', '2 retired']);
    // a command whose answer was lost is sent again
    for (const model of [1, 2]) expect(again(model).canary?.model).toBe(2);
  });

  test('is not needed for the first model', () => {
    expect(apply(deploy(1, { canary: trial }))).toMatchObject({ production: { model: 1 }, canary: null });
  });

  test('leaves a record when another model or a rollback ends its trial', () => {
    const replaced = apply(deploy(1), deploy(2, { canary: trial }), deploy(3, { canary: trial }));
    expect(story(replaced)).toEqual(['1 live', '2 canary', '2 retired', '3 canary']);
    expect(replaced.canary?.model).toBe(3);
    const overtaken = apply(deploy(1), deploy(2, { canary: trial }), deploy(3));
    expect(overtaken).toMatchObject({ production: { model: 3 }, canary: null });
    const back = apply(deploy(1), deploy(2), deploy(3, { canary: trial }), rollback('b-1'));
    expect(back).toMatchObject({ production: { model: 1 }, canary: null });
    expect(story(back).slice(-3)).toEqual(['3 retired', '2 rolled-back', '1 live']);
  });
});

const model = fc.integer({ min: 1, max: 5 });
const deployment = fc.nat(12).map((n) => `d-${n}`);
const event: fc.Arbitrary<EndpointEvent> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(model, deployment, fc.boolean(), fc.boolean(), fc.option(fc.nat(20), { nil: undefined }))
      .map(([m, d, c, keepNewer, seenRevision]) =>
        deploy(m, { target: target(m, d), canary: c ? trial : null, keepNewer, seenRevision }),
      ),
  },
  fc
    .tuple(model, deployment)
    .map(([m, d]): EndpointEvent => ({ kind: 'fail', target: target(m, d), reason: 'no', by: 'pipeline', at: noon })),
  fc
    .tuple(fc.constantFrom('promote' as const, 'return' as const), deployment)
    .map(([kind, d]): EndpointEvent => ({ kind, deployment: d, reason: 'x', at: noon })),
  deployment.map((d) => rollback(`b${d}`)),
);

test('whatever happens in whatever order: one production pointer, always to a model that was tried, with its way back', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      let endpoint = newEndpoint;
      const tried = new Set<string>();
      const rolledBack = new Set<string | undefined>();
      for (const e of events) {
        const next = transition(endpoint, e);
        if ('rejected' in next) {
          expect(next.rejected).not.toBe('');
          continue;
        }
        if (e.kind === 'deploy') tried.add(`${e.target.digest} ${e.target.deployment}`);
        for (const pointer of [next.production, next.previous, next.canary])
          if (pointer !== null) expect(tried).toContain(`${pointer.digest} ${pointer.deployment}`);
        // once there is a production model there is always one; without one there is nothing beside it
        if (endpoint.production !== null) expect(next.production).not.toBeNull();
        if (next.production === null) expect([next.previous, next.canary]).toEqual([null, null]);
        const moved = next.production?.deployment !== endpoint.production?.deployment;
        if (moved && e.kind !== 'rollback') expect(next.previous).toEqual(endpoint.production);
        if (e.kind === 'rollback') rolledBack.add(endpoint.production?.digest);
        else if (e.kind === 'return') rolledBack.add(endpoint.canary?.digest);
        else if (moved) rolledBack.delete(next.production?.digest);
        if (moved) expect(rolledBack).not.toContain(next.production?.digest);
        if (next.previous !== null) expect(rolledBack).not.toContain(next.previous.digest);
        const changed = moved || next.canary?.deployment !== endpoint.canary?.deployment;
        expect(next.revision - endpoint.revision).toBe(changed ? 1 : 0);
        // the newest record of whoever serves says so
        const newest = (d: string | undefined) => next.history.find((h) => h.deployment === d)?.state;
        if (next.production !== null) expect(newest(next.production.deployment)).toBe('live');
        if (next.canary !== null) expect(newest(next.canary.deployment)).toBe('canary');
        const live = new Set(next.history.map((h) => h.deployment).filter((d) => newest(d) === 'live'));
        expect(live.size).toBe(next.production === null ? 0 : 1);
        if (e.kind !== 'promote' && e.kind !== 'return') expect(transition(next, e)).toHaveProperty('rejected');
        endpoint = next;
      }
      expect(endpoint.history.length).toBeLessThanOrEqual(100);
    }),
    { numRuns: 500 },
  );
});
