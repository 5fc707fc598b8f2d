import { expect, test } from 'vitest';
import { recordDeadLetter } from '../../../shared/delivery/record-dead-letter.ts';
import { unassignedProject } from '../../../shared/names.ts';
import { finishUpload } from '../../../shared/upload/finish.ts';
import { recordUpload } from '../../../shared/upload/record.ts';
import { createFakes } from '../../simulation/fakes.ts';

test('of a hundred uploads that are quarantined for one reason within an hour the feed shows one', async () => {
  const world = createFakes();
  const finish = async (n: number, code: string, project = 'digits'): Promise<void> => {
    const arrival = { project, blob: `${project}/1/${n}.png`, etag: `e${n}`, traceparent: undefined };
    const finding = {
      outcome: 'quarantined' as const,
      reason: { code, detail: 'It is cut short.' },
      sample: null,
      annotation: null,
    };
    await finishUpload(world.ports, await recordUpload(world.ports, arrival, null), finding);
  };
  for (let n = 0; n < 100; n++) await finish(n, 'truncated');
  await finish(100, 'not-an-image');
  await finish(101, 'truncated', unassignedProject);
  world.pass(3600);
  await finish(102, 'truncated');
  const events = world.all('events');
  expect(events).toHaveLength(3);
  expect(events[0]).toMatchObject({
    type: 'upload.quarantined',
    text: 'digits/1/0.png is quarantined: It is cut short. Others of this hour for the same reason are in uploads?outcome=quarantined.',
  });
});

test('a message that gets stuck is in the feed of its project, once', async () => {
  const world = createFakes();
  const stuck = { body: { id: 'm1', data: { project: 'digits' } }, reason: 'MaxDeliveryCountExceeded', detail: 'no.' };
  for (let times = 0; times < 2; times++) await recordDeadLetter(world.ports, 'evaluations', stuck);
  await recordDeadLetter(world.ports, 'evaluations', { ...stuck, body: { data: { project: 'No Project' } } });
  expect(world.all('events')).toMatchObject([{ pk: 'digits', type: 'dead-letter.recorded' }]);
  expect(world.all('events')[0]?.text).toContain('A message of evaluations is stuck (MaxDeliveryCountExceeded): no.');
});
