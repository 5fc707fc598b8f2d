/**
 * Storms on the real platform: each has one outcome, which docs/limits.md describes. STORM=full makes them as large as
 * `npm run verify` has them.
 */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  type Answer,
  countBy,
  full,
  jobsOf,
  runsOf,
  soon,
  train,
  startStormy,
  type Stormy,
  tile,
  untilCommitted,
  untilEnded,
  untilIdle,
} from './platform.ts';

const uploads = full ? 10_000 : 80;
const requests = full ? 1000 : 100;
const heartbeats = full ? 1000 : 150;
const patience = 120_000 + uploads * 60;
let it: Stormy;

beforeAll(async () => {
  it = await startStormy();
}, 90_000);
afterAll(() => it?.close(), 60_000);

const endpointOf = async (project: string) => {
  const { headers, body } = await it.call('GET', `/projects/${project}/endpoint`);
  return { etag: headers.get('etag') ?? '', body: body as { production: { model: number } | null; canary: unknown } };
};
const historyOf = async (project: string) =>
  (await it.ports.documents.read('endpoints', project, 'endpoint'))?.document.history ?? [];
const liveIs = (project: string, model: number) =>
  vi.waitUntil(async () => (await endpointOf(project)).body.production?.model === model, soon);

describe('retrain requests', () => {
  const storm = (project: string): Promise<Answer[]> =>
    Promise.all(
      Array.from({ length: requests }, (_, n) =>
        it.call('POST', `/projects/${project}/trainings`, { seed: n }, { 'idempotency-key': `storm-${n}` }),
      ),
    );

  test(
    `${requests} at once start two jobs, and every answer names the run that does the work`,
    { timeout: patience },
    async () => {
      await it.makeProject('asked', { trainer: { name: 'held' } });
      await it.upload('asked', 0, 24);
      await untilCommitted(it, 'asked', 24);
      const answers = await storm('asked');
      await it.release();
      expect(countBy(answers.map((a) => a.status))).toEqual({ 202: requests });
      expect(countBy(answers.map((a) => a.body['decision']))).toEqual({ start: 1, wait: 1, coalesced: requests - 2 });
      const ids = new Set(answers.map((a) => String(a.body['id'])));
      expect(ids.size).toBe(2);
      for (const id of ids) expect((await untilEnded(it, 'asked', id)).state).toBe('registered');
      await untilIdle(it, 'asked');
      expect(await jobsOf(it, 'asked')).toBe(2);
    },
  );

  test(
    'beyond the daily limit are refused with the limit and the time when to come back',
    { timeout: patience },
    async () => {
      const retrain = { onVersion: false, maxPerDay: 1 };
      await it.makeProject('limited', { retrain });
      await it.upload('limited', 0, 24);
      await untilCommitted(it, 'limited', 24);
      const answers = await storm('limited');
      expect(countBy(answers.map((a) => a.status))).toEqual({ 202: 1, 429: requests - 1 });
      for (const { status, headers, body } of answers) {
        if (status === 202) continue;
        expect((body['error'] as { code: string }).code).toBe('daily-limit');
        expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
      }
      await untilIdle(it, 'limited');
      expect(await jobsOf(it, 'limited')).toBe(1);
    },
  );
});

test(
  `a burst of ${uploads} uploads ends in one outcome for each and in few versions`,
  { timeout: patience },
  async () => {
    await it.makeProject('burst');
    await it.upload('burst', 0, uploads);
    await untilCommitted(it, 'burst', uploads);
    const { body } = await it.call('GET', '/projects/burst');
    expect((body['counts'] as { uploads: object }).uploads).toMatchObject({
      accepted: uploads,
      received: 0,
      duplicate: 0,
    });
    expect((body['head'] as { number: number }).number).toBeLessThanOrEqual(1 + uploads / 100);
  },
);

test(
  'a training that always fails is not repeated by itself: one job for each version, and nothing is stuck',
  { timeout: patience },
  async () => {
    const retrain = { onVersion: true, minNewSamples: 1, maxPerDay: 3 };
    await it.makeProject('failing', { trainer: { name: 'failing' }, retrain });
    for (let n = 1; n <= 5; n++) {
      await it.upload('failing', 4 * n, 4 * n + 4);
      await untilCommitted(it, 'failing', 4 * n);
      if (n <= 3)
        await expect.poll(async () => (await runsOf(it, 'failing')).filter((r) => r.endedAt).length, soon).toBe(n);
    }
    await untilIdle(it, 'failing');
    const runs = await runsOf(it, 'failing');
    expect(runs.map((run) => [run.state, run.attempt, run.failure?.code])).toEqual(
      Array.from({ length: 3 }, () => ['failed', 1, 'trainer-failed']),
    );
    expect((await it.call('GET', '/projects/failing/stuck')).body).toEqual({ value: [] });
  },
);

test(
  'a trainer that floods heartbeats registers its model; what it told is kept up to a limit',
  { timeout: patience },
  async () => {
    await it.makeProject('flood');
    await it.upload('flood', 0, 24);
    await untilCommitted(it, 'flood', 24);
    const run = await train(it, 'flood', { trainer: { name: 'flood', parameters: { heartbeats } } });
    expect([run.state, run.attempt]).toEqual(['registered', 1]);
    expect(run.metrics.length).toBeLessThanOrEqual(2000);
    expect(run.metrics.map(({ step }) => step)).toEqual(run.metrics.map(({ step }) => step).sort((a, b) => a - b));
    const letters = await it.call('GET', '/dead-letters?queue=training-events');
    expect(letters.body['value']).toEqual([]);
  },
);

describe('an endpoint', () => {
  const p = 'served';
  beforeAll(async () => {
    await it.makeProject(p, { deploy: { mode: 'manual' } });
    await it.upload(p, 0, 24);
    await untilCommitted(it, p, 24);
    for (let seed = 1; seed <= 4; seed++) expect((await train(it, p, { seed })).state).toBe('registered');
    await it.call('POST', `/projects/${p}/endpoint/deploy`, { model: 1 });
    await liveIs(p, 1);
  }, patience);

  const setCanary = async (canary: object | null) => {
    const { body, headers } = await it.call('GET', `/projects/${p}`);
    const settings = { ...(body['settings'] as object), deploy: { mode: 'manual', canary } };
    const put = await it.call('PUT', `/projects/${p}`, settings, { 'if-match': headers.get('etag') ?? '' });
    expect(put.status).toBe(200);
  };
  const canary = { percent: 50, minRequests: 1000, maxErrorRate: 0.5, durationSeconds: 600 };

  test('whose first model has a canary beside it cannot be rolled back; deploying the live model ends the trial', async () => {
    await setCanary(canary);
    await it.call('POST', `/projects/${p}/endpoint/deploy`, { model: 4 });
    await expect.poll(async () => (await endpointOf(p)).body.canary, soon).toMatchObject({ model: 4 });
    const ifMatch = { 'if-match': (await endpointOf(p)).etag };
    const refused = await it.call('POST', `/projects/${p}/endpoint/rollback`, {}, ifMatch);
    expect([refused.status, (refused.body['error'] as { code: string }).code]).toEqual([409, 'nothing-to-roll-back']);
    expect(JSON.stringify(refused.body)).toContain('Deploy the live model');
    await it.call('POST', `/projects/${p}/endpoint/deploy`, { model: 1 }, ifMatch);
    await expect.poll(async () => (await endpointOf(p)).body.canary, soon).toBeNull();
    expect((await historyOf(p))[0]).toMatchObject({ model: 4, state: 'retired', reason: 'model 1 stays live' });
    await setCanary(null);
  });

  test('that two operators promote at once is given to one; the other reads in the history why not to theirs', async () => {
    const { etag } = await endpointOf(p);
    const promote = (model: number) =>
      it.call('POST', `/projects/${p}/endpoint/deploy`, { model }, { 'if-match': etag });
    const answers = await Promise.all([promote(2), promote(3)]);
    for (const { status } of answers) expect([202, 412]).toContain(status);
    await expect.poll(async () => (await historyOf(p)).filter((h) => h.model > 1).length, soon).toBeGreaterThan(0);
    await vi.waitUntil(async () => {
      const history = await historyOf(p);
      const asked = answers.filter((a) => a.status === 202).map((a) => a.body['deployment']);
      return asked.every((one) => history.some((h) => h.deployment === one));
    }, soon);
    const history = (await historyOf(p)).filter((h) => h.model === 2 || h.model === 3);
    expect(history.filter((h) => h.state === 'live')).toHaveLength(1);
    for (const h of history.filter((one) => one.state !== 'live'))
      expect(h).toMatchObject({ state: 'failed', reason: expect.stringContaining('changed since') });
    expect((await promote(4)).status).toBe(412);
  });

  test('that is rolled back during a canary ends the trial and returns to the model before', async () => {
    const before = (await endpointOf(p)).body.production?.model;
    await setCanary(canary);
    await it.call('POST', `/projects/${p}/endpoint/deploy`, { model: 4 });
    await expect.poll(async () => (await endpointOf(p)).body.canary, soon).toMatchObject({ model: 4 });
    const { etag } = await endpointOf(p);
    const back = await it.call('POST', `/projects/${p}/endpoint/rollback`, {}, { 'if-match': etag });
    expect([back.status, back.body['canary']]).toEqual([200, null]);
    expect((back.body['production'] as { model: number }).model).toBe(1);
    const [live, rolledBack, ended] = await historyOf(p);
    expect([live?.state, rolledBack?.state, rolledBack?.model]).toEqual(['live', 'rolled-back', before]);
    expect(ended).toMatchObject({ model: 4, state: 'retired', reason: 'the endpoint was rolled back' });
    const scores = await Promise.all(
      Array.from({ length: 20 }, async () =>
        it.call('POST', `/projects/${p}/score`, await tile(7), { 'content-type': 'image/png' }),
      ),
    );
    expect(new Set(scores.map((s) => (s.body['model'] as { version: number }).version))).toEqual(new Set([1]));
  });

  test('whose canary is deployed by somebody who has seen it serves it at once', async () => {
    await it.call('POST', `/projects/${p}/endpoint/deploy`, { model: 4 });
    await expect.poll(async () => (await endpointOf(p)).body.canary, soon).toMatchObject({ model: 4 });
    const { etag } = await endpointOf(p);
    await it.call('POST', `/projects/${p}/endpoint/deploy`, { model: 4 }, { 'if-match': etag });
    await liveIs(p, 4);
    expect((await endpointOf(p)).body.canary).toBeNull();
  });
});

test(
  'settings changed during a run: it trains as it was asked to, and is judged and deployed by what counts then',
  { timeout: patience },
  async () => {
    await it.makeProject('changed', { trainer: { name: 'slow', parameters: { seconds: 4 } } });
    await it.upload('changed', 0, 24);
    await untilCommitted(it, 'changed', 24);
    const asked = await it.call('POST', '/projects/changed/trainings', { seed: 5 });
    const { body, headers } = await it.call('GET', '/projects/changed');
    const changed = {
      ...(body['settings'] as object),
      ...{ trainer: { name: 'failing' }, classes: ['dark', 'light', 'other'] },
      gate: { minimum: 0, minimumRecall: 0, maxRegression: 1, baseline: 'noted', approval: 'manual' },
    };
    const put = await it.call('PUT', '/projects/changed', changed, { 'if-match': headers.get('etag') ?? '' });
    expect(put.status).toBe(200);
    const run = await untilEnded(it, 'changed', String(asked.body['id']));
    expect(run).toMatchObject({ state: 'registered', classes: ['dark', 'light'], trainer: { name: 'slow' } });
    const model = await it.call('GET', '/projects/changed/models/1');
    expect(model.body).toMatchObject({ state: 'candidate' });
    expect((await endpointOf('changed')).body.production).toBeNull();
  },
);
