import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { commitWhenQuiet } from '../../shared/dataset/commit-when-quiet.ts';
import { train } from '../../functions/train.ts';
import { traceOfReport, receiveReport } from '../../shared/training/receive-report.ts';
import { ingest } from '../../shared/upload/ingest.ts';
import { sweep } from '../../shared/project/sweep.ts';
import { idleCost, runsPerMonth, sweepOperations, total } from '../../infra/costs/idle.ts';
import { costsPage } from '../../infra/costs/page.ts';
import {
  checksPerHour,
  heartbeatsPerHour,
  type Operations,
  thousandScores,
  thousandUploads,
  trainingHour,
  usageCost,
} from '../../infra/costs/usage.ts';
import { newEndpoint } from '../../shared/endpoint/endpoint.ts';
import type { ModelDocument } from '../../shared/model/document.ts';
import { type BlobCreatedEvent, commitDue, queueMessages } from '../../shared/delivery/message.ts';
import { projectSettings } from '../../shared/project/settings.ts';
import { modelId } from '../../shared/model/register.ts';
import { sweepSchedule } from '../../shared/resources.ts';
import type { Infer } from '../../shared/prediction/inference.ts';
import { createScorer } from '../../shared/prediction/score.ts';
import { acceptedImage } from '../shared/image/accepted.ts';
import { answerOf } from '../shared/task/classification/answers.ts';
import { trainable } from '../shared/evaluation/trainable.ts';
import { createFakes, type Fakes } from '../simulation/fakes.ts';
import { counting } from './counting.ts';
import { deployments, environments, ofType, resourcesOf } from './templates.ts';

const pictures = 1000;

function withProject(name: string, world: Fakes) {
  const at = world.ports.clock.now().toISOString();
  const project = { id: name, pk: 'projects', settings: projectSettings.parse({}), createdAt: at, updatedAt: at };
  world.put('projects', project);
  return project;
}

const inspect = (bytes: Buffer) => Promise.resolve(acceptedImage(bytes));

/** Counted operations may drift by a tenth before somebody has to look at the price. */
function expectCharged(counted: Operations, charged: Operations): void {
  const use = { events: 0, executions: 0, seconds: 0, memoryGb: 0, logKilobytes: 0 };
  const [real, declared] = [counted, charged].map((operations) => usageCost({ ...use, operations }));
  for (const [service, usd] of Object.entries(declared ?? {})) {
    const advice = `${service}: counted ${JSON.stringify(counted)}; bring infra/costs/usage.ts up to date`;
    expect(Math.abs((real?.[service] ?? 0) - usd), advice).toBeLessThanOrEqual(usd * 0.1);
  }
}

test.for(environments)('%s costs at most 2 EUR a month while nothing happens', (environment) => {
  const lines = idleCost(resourcesOf(environment));
  // one USD taken as one EUR, which it has not been worth for years
  expect(total(lines), JSON.stringify(lines, undefined, 1)).toBeLessThanOrEqual(2);
  expect(total(lines)).toBeGreaterThan(0.5);
});

test.for(environments)('%s has one log alert, and pays for the metric series beyond ten', (environment) => {
  const resources = resourcesOf(environment);
  expect(ofType(resources, 'Microsoft.Insights/scheduledQueryRules')).toHaveLength(1);
  // each of six queues by age and by dead letters, the two that fill up, errors, and what is computed
  const series = 6 + 6 + 2 + 1 + 1;
  const line = idleCost(resources).find(({ what }) => what === 'Metric alerts');
  expect(line?.how).toBe(`${series} time series of 10 free`);
  expect(line?.usdPerMonth).toBeCloseTo((series - 10) * 0.1);
});

test('a resource without a price is an error, not free', () => {
  const endpoint = { id: '/x', type: 'Microsoft.Network/privateEndpoints', name: 'x' };
  expect(() => idleCost([endpoint])).toThrow('no idle price for Microsoft.Network/privateEndpoints');
});

test('what costs while idle is charged for: an instance that is always ready, an alert every five minutes', () => {
  const alert = { id: '/a', type: 'Microsoft.Insights/scheduledQueryRules', name: 'a' };
  expect(() => idleCost([{ ...alert, properties: { evaluationFrequency: 'PT5M' } }])).toThrow('every 15 minutes');
  const scale = { scaleAndConcurrency: { alwaysReady: [{ name: 'http', instanceCount: 1 }] } };
  const site = { id: '/s', type: 'Microsoft.Web/sites', name: 's', properties: { functionAppConfig: scale } };
  expect(() => idleCost([site])).toThrow('always ready');
});

test('the timer runs as often as it is charged for', () => {
  expect(runsPerMonth(sweepSchedule)).toBe(2880);
  expect(() => runsPerMonth('0 0 3 * * *')).toThrow('cannot count');
});

test('a sweep of idle projects does what it is charged for', async () => {
  const world = createFakes();
  withProject('a', world);
  const one = counting(world.ports);
  await sweep(one.ports);
  withProject('b', world);
  const two = counting(world.ports);
  await sweep(two.ports);

  const each = Object.entries(two.operations).map(
    ([name, count]) => [name, count - (one.operations[name] ?? 0)] as const,
  );
  const perProject = Object.fromEntries(each.filter(([name, count]) => count > 0 && !name.endsWith('.item')));
  expect(perProject).toEqual(sweepOperations.perProject);
  const perRun = each.map(([name, count]) => [name, (one.operations[name] ?? 0) - count] as const);
  expect(Object.fromEntries(perRun.filter(([name, count]) => count > 0 && !name.endsWith('.item')))).toEqual(
    sweepOperations.perRun,
  );
});

test('1,000 uploads do what they are charged for', async () => {
  const world = createFakes();
  withProject('digits', world);
  const { ports, operations } = counting(world.ports);
  for (let i = 0; i < pictures; i++) {
    const blob = `digits/${i % 10}/${i}.png`;
    await world.ports.blobs.create('uploads', blob, `image ${i}`);
    const written = await world.ports.blobs.get('uploads', blob, { maxBytes: 100 });
    const eTag = typeof written === 'object' ? written.etag : '';
    const event = {
      ...({ specversion: '1.0', id: `e${i}`, source: '/test', type: 'Microsoft.Storage.BlobCreated' } as const),
      ...{ subject: `/blobServices/default/containers/uploads/blobs/${blob}`, data: { url: blob, eTag } },
    };
    expect(await ingest({ ...ports, inspect }, event)).toMatchObject({ outcome: 'accepted' });
  }
  world.pass(100);
  const due = { queue: 'dataset-commits', until: Number.POSITIVE_INFINITY } as const;
  for (let next = world.take(due); next !== undefined; next = world.take(due)) {
    await commitWhenQuiet(ports, commitDue.parse(next.message));
  }
  expectCharged(operations, thousandUploads);
});

test('1,000 scores do what they are charged for', async () => {
  const world = createFakes();
  const project = withProject('digits', world);
  const target = { model: 1, digest: 'd', deployment: 'o' };
  world.put('endpoints', { id: 'endpoint', pk: 'digits', ...newEndpoint, production: target });
  const model = {
    number: 1,
    digest: 'd',
    task: 'classification',
    classes: ['a', 'b'],
    image: { width: 8, height: 8, channels: 1 },
    version: { id: 'v', number: 1 },
  };
  world.put('models', { id: modelId(1), pk: 'digits', ...model } as ModelDocument);
  await world.ports.blobs.create('models', 'digits/d.onnx', 'model');
  const { ports, operations } = counting(world.ports);
  let loaded: Promise<Buffer> | undefined;
  const infer: Infer = async (_digest, load) => {
    await (loaded ??= load());
    return [answerOf([0.25, 0.75])];
  };
  const score = createScorer({
    ...ports,
    draw: () => Promise.reject(new Error('nothing is drawn here')),
    preprocess: async (bytes) => ({ ...(await inspect(bytes)), tensor: new Float32Array(64) }),
    inferServed: infer,
    inferPinned: infer,
  });
  for (let i = 0; i < pictures; i++) {
    world.pass(0.032);
    await score(project.id, { bytes: Buffer.from([i % 256]), contentType: 'image/png' }, {});
  }
  expectCharged(operations, thousandScores);
});

test('an hour of checks and heartbeats does what it is charged for', async () => {
  const { world, ask, work, run } = await trainable();
  const { run: id } = await ask();
  await work();
  const { token } = await run(id);
  const { ports, operations } = counting(world.ports);
  const report = async (sequence: number): Promise<void> => {
    const blob = `digits/${id}/${token}/${String(sequence).padStart(6, '0')}.json`;
    const kind = sequence === 1 ? 'started' : 'heartbeat';
    const at = world.ports.clock.now().toISOString();
    await world.ports.blobs.create('job-reports', blob, JSON.stringify({ kind, sequence, at, execution: 'trainer-1' }));
    const event: BlobCreatedEvent = {
      ...({ specversion: '1.0', id: `e${sequence}`, source: '/test', type: 'Microsoft.Storage.BlobCreated' } as const),
      ...{ subject: `/blobServices/default/containers/job-reports/blobs/${blob}`, data: { url: blob, eTag: 'e' } },
    };
    // as functions/training-event.ts has it: the trace of the run is looked up for each
    await traceOfReport(ports, event);
    expect((await receiveReport(ports, event)).outcome).toBe(kind);
  };
  let checks = 0;
  for (let heard = 1; heard <= heartbeatsPerHour; heard++) {
    world.pass(10);
    await report(heard);
    const due = { queue: 'trainings', until: world.ports.clock.now().getTime() } as const;
    for (let next = world.take(due); next !== undefined; next = world.take(due)) {
      expect(await train(ports, queueMessages['trainings'].parse(next.message))).toEqual({
        outcome: 'healthy',
      });
      checks++;
    }
  }
  expect(checks).toBe(checksPerHour);
  expectCharged(operations, trainingHour);
});

test('docs/costs.md is what the snapshots and prices give', () => {
  const snapshots = Object.fromEntries(deployments.map((name) => [name, resourcesOf(name)]));
  const page = readFileSync(path.join(import.meta.dirname, '..', '..', 'docs', 'costs.md'), 'utf8');
  expect(page, 'docs/costs.md is stale: run `npm run infra:generate`').toBe(costsPage(snapshots));
});
