import type { InvocationContext } from '@azure/functions';
import { expect, test } from 'vitest';
import { consume } from '../../functions/consume.ts';
import type { StageRecord } from '../../shared/ports.ts';
import { createFakes } from '../simulation/fakes.ts';

test('a message that no handler understands is a dead letter, and a stage record with its reason and its age', async () => {
  const world = createFakes();
  const stages: StageRecord[] = [];
  const metrics: string[] = [];
  const telemetry = {
    ...world.ports.telemetry,
    stage: (record: StageRecord) => void stages.push(record),
    metric: (name: string) => void metrics.push(name),
  };
  const { handler: handle } = consume({ ...world.ports, telemetry }, 'evaluations', 'evaluate', () =>
    Promise.reject(new Error('it was handled')),
  );
  const enqueuedTimeUtc = world.ports.clock.now().toISOString();
  await handle('no message', {
    invocationId: 'i-1',
    triggerMetadata: { enqueuedTimeUtc },
  } as unknown as InvocationContext);
  expect(world.all('dead-letters')).toMatchObject([{ reason: 'invalid-message', body: 'no message' }]);
  expect(stages).toEqual([
    {
      ...{ stage: 'evaluate', project: '', outcome: 'dead-lettered', durationMs: 0 },
      ids: { reason: 'invalid-message', invocation: 'i-1' },
    },
  ]);
  expect(metrics).toEqual(['queue-age-seconds', 'stage-milliseconds']);
});
