import { describe, expect, test } from 'vitest';
import { applyToEndpoint } from '../../../shared/endpoint/apply.ts';
import type { EndpointEvent } from '../../../shared/endpoint/endpoint.ts';
import { createFakes } from '../../simulation/fakes.ts';

const cause = { id: 'test' };
const at = '2026-03-01T12:00:00.000Z';
const deploy = (model: number): EndpointEvent => ({
  ...{ kind: 'deploy', target: { model, digest: String(model), deployment: `d-${model}` }, canary: null },
  ...{ by: 'policy', reason: 'approved', at, keepNewer: false },
});
const rollback: EndpointEvent = { kind: 'rollback', by: 'operator', reason: 'wrong answers', at, deployment: 'b-1' };

describe('a rollback of a state that was seen', () => {
  test('whose feed entry could not be written has it written when it is repeated', async () => {
    const world = createFakes();
    for (const model of [1, 2]) await applyToEndpoint(world.ports, 'digits', deploy(model), cause);
    const seen = await world.ports.documents.read('endpoints', 'digits', 'endpoint');
    const rolledBack = () => applyToEndpoint(world.ports, 'digits', rollback, cause, seen?.etag);
    const told = () => world.all('events').some(({ text }) => text.includes('wrong answers'));
    world.before = (operation, container) => {
      if (operation === 'documents.create' && container === 'events') throw new Error('died');
    };
    await expect(rolledBack()).rejects.toThrow('died');
    world.before = () => undefined;
    expect(told()).toBe(false);

    expect(await rolledBack()).toBeUndefined();
    expect((await world.read('endpoints', 'digits', 'endpoint'))?.production?.model).toBe(1);
    expect(told()).toBe(true);
    expect((await world.read('endpoints', 'digits', 'endpoint'))?.outbox).toEqual([]);
  });
});

test('the feed tells both halves of a rollback, and what a deployment ended', async () => {
  const world = createFakes();
  const trial = { percent: 20, minRequests: 10, maxErrorRate: 0.1, durationSeconds: 60 };
  const events = [deploy(1), deploy(2), { ...deploy(3), canary: trial } as EndpointEvent, deploy(4), rollback];
  for (const event of events) await applyToEndpoint(world.ports, 'digits', event, cause);
  expect(world.all('events').map(({ type, subject }) => `${subject} ${type}`)).toEqual([
    'models/1 deployment.live',
    'models/1 deployment.retired',
    'models/2 deployment.live',
    'models/3 deployment.canary',
    'models/3 deployment.retired',
    'models/2 deployment.retired',
    'models/4 deployment.live',
    'models/4 deployment.rolled-back',
    'models/2 deployment.live',
  ]);
});
