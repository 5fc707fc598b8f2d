/** Projects of every task kind, and of one that is no more than a folder of tests, from upload to live endpoint and score, under the same faults. */
import './register.ts';
import { expect, test } from 'vitest';
import { createRandom } from '../../random.ts';
import { type Client, createClient } from '../../simulation/client.ts';
import { drawRates, noFaults, randomFaults } from '../../simulation/faults.ts';
import { emptyLedger } from '../../simulation/ledger.ts';
import { drawPicture } from '../../simulation/pictures.ts';
import type { Plan } from '../../simulation/plan.ts';
import { simulate } from '../../simulation/simulate.ts';
import { startUsers } from '../../simulation/users.ts';
import { createWorld, type World } from '../../simulation/world.ts';

const minute = 60_000;
const limit = 200_000;
const uploads = 40;

/** What the picture of that number shows in each project. */
const shown: Record<string, (number: number) => string> = {
  animals: (number) => (number % 2 === 0 ? 'cat' : 'dog'),
  ages: (number) => String((number % 7) + 0.5),
  scenes: (number) => (number % 3 === 0 ? 'dog' : 'cat'),
};
/** Projects whose uploads say nothing of what they show: people do, ten at a time. */
const reviewed = ['scenes'];
/** Until the reviews of a burst are done. */
const reviewSeconds = [10, 12, 14, 16, 18, 20];
const bodyOf = (project: string, number: number): Buffer =>
  drawPicture({ number, truth: shown[project]?.(number) ?? '', width: 16, height: 16, channels: 1 });

const nameOf = (project: string, number: number): string =>
  reviewed.includes(project) ? `${project}/${number}.png` : `${project}/${shown[project]?.(number)}/${number}.png`;

/** A project of each kind that does the same: uploads in two bursts, a training by policy after each, scores. */
function drawPlan(): Plan {
  const settings = {
    image: { width: 16, height: 16, channels: 1 as const },
    trainer: { name: 'simulated' },
    retrain: { minNewSamples: 10 },
    commit: { quietSeconds: 2, maxWaitSeconds: 20 },
    split: { validationPercent: 20, testPercent: 30 },
  };
  const names = Object.keys(shown);
  const projects = [
    { name: 'animals', settings: { ...settings, gate: { minimum: 0.5, minimumRecall: 0 } }, truth: 'cat' },
    { name: 'ages', settings: { ...settings, task: 'regression', gate: { mostError: 0.5 } }, truth: '3.5' },
    { name: 'scenes', settings: { ...settings, task: 'detection', gate: { minimum: 0.5 } }, truth: 'cat' },
  ];
  const actions = names.flatMap((project): Plan['actions'] => [
    ...Array.from({ length: uploads }, (_, number) => ({
      atMs: 2000 + (number < uploads / 2 ? 0 : 5 * minute) + number * 100,
      action: {
        ...{ kind: 'upload' as const, project, name: nameOf(project, number) },
        ...{ body: bodyOf(project, number), metadata: null, overwrites: false },
      },
    })),
    ...[4, 9].map((atMinute) => ({
      atMs: atMinute * minute,
      action: { kind: 'score' as const, project, picture: bodyOf(project, 100), times: 2 },
    })),
    { atMs: 9.5 * minute, action: { kind: 'look' as const, project } },
    ...(reviewed.includes(project) ? [0, 5 * minute] : []).flatMap((burst) =>
      reviewSeconds.map((seconds) => ({
        atMs: burst + seconds * 1000,
        action: { kind: 'review' as const, project },
      })),
    ),
  ]);
  actions.sort((a, b) => a.atMs - b.atMs);
  return {
    startsAt: '2026-03-01T12:00:00.000Z',
    projects: projects.map((one) => ({ ...one, createdAtMs: 0 })),
    actions,
    faultsUntilMs: 10 * minute,
  };
}

/** What somebody is answered who asks a platform at rest. */
async function asked<T>(world: World, work: (client: Client) => Promise<T>): Promise<T> {
  const { scheduler } = world;
  const process = { name: 'reader', alive: true, skewMs: 0, onDeath: new Set<() => void>() };
  const answer = scheduler.within({ process, handler: 'reader', kind: 'client' }, () => work(createClient(world)));
  await scheduler.run({ limit });
  return answer;
}

test('pictures become models that answer what each kind answers, side by side', async () => {
  const plan = drawPlan();
  const world = createWorld(1, {
    faults: (random) => randomFaults(random, noFaults),
    ...{ startsAt: plan.startsAt, keepTrace: false },
  });
  startUsers(world, plan, emptyLedger());
  await world.scheduler.run({ until: plan.faultsUntilMs, limit });
  expect(world.problems).toEqual([]);
  const answers = async (client: Client, project: string) => {
    const params = { project };
    const headers = { 'content-type': 'image/png' };
    const score = await client.ask('score-post', { params, bytes: bodyOf(project, 100), headers });
    const prediction = String(score?.json['predictionId']);
    const read = await client.ask('predictions-get', { params: { ...params, prediction } });
    const model = await client.ask('models-get', { params: { ...params, number: '1' } });
    const samples = await client.ask('samples-list', { params });
    return { score: score?.json, read: read?.json, model: model?.json, samples: samples?.json['value'] };
  };
  const animals = await asked(world, (client) => answers(client, 'animals'));
  const ages = await asked(world, (client) => answers(client, 'ages'));
  const scenes = await asked(world, (client) => answers(client, 'scenes'));
  expect(animals.score).toMatchObject({ class: 'cat', probabilities: { cat: 0.9, dog: 0.1 } });
  expect(animals.model).toMatchObject({ state: 'approved', classes: ['cat', 'dog'], metrics: { accuracy: 1 } });
  const near = expect.closeTo(Number(shown['ages']?.(100)), 0);
  expect(ages.score).toMatchObject({ value: near, model: { version: expect.any(Number) } });
  expect(ages.read).toMatchObject({ value: near, role: 'production', error: null });
  expect(ages.model).toMatchObject({
    ...{ state: 'approved', aliases: [], classes: [] },
    metrics: { meanAbsoluteError: expect.closeTo(0, 0) },
    verdict: { decision: 'approved', reasons: expect.arrayContaining([expect.stringContaining('on average')]) },
  });
  expect(ages.samples).toContainEqual(expect.objectContaining({ annotation: { value: 3.5 }, value: 3.5 }));
  expect(ages.samples).toHaveLength(uploads);
  expect(scenes.score).toMatchObject({
    boxes: [{ class: 'cat', score: 0.9, x: 100 % 5, y: 2, width: 6, height: 8 }],
    model: { version: expect.any(Number) },
  });
  expect(scenes.read).toMatchObject({ boxes: [{ class: 'cat' }], role: 'production', error: null });
  expect(scenes.model).toMatchObject({
    ...{
      state: 'approved',
      classes: ['cat', 'dog'],
      metrics: { ap50: expect.any(Number), classes: { cat: {}, dog: {} } },
    },
    verdict: { decision: 'approved', reasons: expect.arrayContaining([expect.stringContaining('AP50')]) },
  });
});

test('projects of all kinds keep every invariant under faults of every kind', { timeout: 120_000 }, async () => {
  for (let seed = 1; seed <= 5; seed++) {
    const rates = drawRates(createRandom(seed));
    const { violations } = await simulate(seed, drawPlan(), (random) => randomFaults(random, rates), false);
    expect([seed, violations]).toEqual([seed, []]);
  }
});
