/** What the activity feed and the project say of trainings that do not happen, and of those that end badly. */
import { describe, expect, test } from 'vitest';
import { train } from '../../functions/train.ts';
import { RetryLater } from '../../shared/errors.ts';
import { compose } from '../../shared/delivery/compose.ts';
import type { versionCommitted } from '../../shared/delivery/message.ts';
import type { ProjectSettingsInput } from '../../shared/project/settings.ts';
import { cancelRun } from '../../shared/training/cancel.ts';
import { whyIdle } from '../../shared/training/why-idle.ts';
import type * as z from 'zod';
import { evaluated, right, wrong } from '../shared/evaluation/evaluated.ts';
import { cause, commitVersion, name, trainable } from '../shared/evaluation/trainable.ts';

type VersionCommitted = z.infer<typeof versionCommitted>;
type Trainable = Awaited<ReturnType<typeof trainable>>;

/** Commits the next versions of so many samples each and lets the policy look at them; returns its outcomes. */
async function commitAll({ world }: Trainable, ...samples: number[]): Promise<string[]> {
  const outcomes: string[] = [];
  for (const count of samples) {
    const number = world.all('versions').length + 1;
    const { version } = await commitVersion(world, number, count);
    const message = compose<VersionCommitted>(
      'darkroom.version.committed',
      `${name}/${version}`,
      { project: name, version, number },
      cause,
    );
    // delivered twice, as everything may be
    outcomes.push((await train(world.ports, message)).outcome);
    await train(world.ports, message);
  }
  return outcomes;
}
const feedOf = ({ world }: Pick<Trainable, 'world'>, type: string): string[] =>
  world.all('events').flatMap((event) => (event.type.startsWith(type) ? [event.text] : []));
/** What `GET /projects/{p}` says. */
async function fieldOf({ world, project }: Trainable) {
  const scheduler = await world.read('schedulers', name, 'scheduler');
  const head = (await world.read('heads', name, 'head'))?.head ?? null;
  return whyIdle(project.settings, head, scheduler, world.ports.clock.now());
}

describe('a project in which nothing trains says why', () => {
  test.each<[ProjectSettingsInput, number, string, string]>([
    [{ retrain: { onVersion: false } }, 60, 'switched-off', 'retrain.onVersion is off'],
    [{ retrain: { minNewSamples: 90 } }, 60, 'too-few-new-samples', 'has 60 samples more than'],
    [{ classes: ['cat', 'dog'] }, 60, 'too-few-classes', 'no sample of any class'],
    [{}, 1, 'too-few-classes', 'samples of one class ("0")'],
    [{ retrain: { minNewSamples: 1 } }, 3, 'empty-split', 'nor in'],
    [{ retrain: { maxPerDay: 0 } }, 60, 'daily-limit', 'raise retrain.maxPerDay'],
    [{ retrain: { computeSecondsPerDay: 0 } }, 60, 'compute-limit', 'raise retrain.computeSecondsPerDay'],
  ])('with %j and %i samples: %s', async (settings, samples, code, detail) => {
    const project = await trainable(settings);
    expect(await commitAll(project, samples)).toEqual([code]);
    expect(feedOf(project, 'training.waiting')).toEqual([expect.stringContaining(detail)]);
    expect(await fieldOf(project)).toEqual({ code, detail: expect.stringContaining(detail) });
  });

  test('before its first version', async () => {
    const { settings } = (await trainable()).project;
    expect(whyIdle(settings, null, undefined, new Date(0))?.code).toBe('no-version');
  });

  test('once, however many versions wait for the same, and again after a training', async () => {
    const project = await trainable({ retrain: { minNewSamples: 100 } });
    expect(new Set(await commitAll(project, 61, 62, 63, 64))).toEqual(new Set(['too-few-new-samples']));
    expect(feedOf(project, 'training.waiting')).toHaveLength(1);
    expect(await commitAll(project, 120)).toEqual(['start']);
    expect(await fieldOf(project)).toBeNull();
    // while one trains, a version that starts none is no silence
    await commitAll(project, 121);
    expect(feedOf(project, 'training.waiting')).toHaveLength(1);

    await project.work();
    const { id = '', token } = project.world.all('runs').find(({ state }) => state === 'submitted') ?? {};
    await project.report(id, token ?? '', { kind: 'failed', sequence: 1, reason: 'the loss is not a number' });
    await project.work(5);
    await commitAll(project, 122, 123);
    expect(feedOf(project, 'training.waiting')).toHaveLength(2);
    expect(await fieldOf(project)).toMatchObject({ code: 'too-few-new-samples' });
  });

  test('with a training that waits for a cooldown, and begins when it is over', async () => {
    const project = await trainable({ retrain: { cooldownSeconds: 600, minNewSamples: 1 } });
    expect(await commitAll(project, 60, 70)).toEqual(['start', 'wait']);
    await project.work();
    const { id = '', token } = project.world.all('runs').find(({ state }) => state === 'submitted') ?? {};
    await project.report(id, token ?? '', { kind: 'failed', sequence: 1, reason: 'no' });
    await project.work(5);
    expect(await fieldOf(project)).toMatchObject({ code: 'cooldown', detail: expect.stringContaining('600 s ago') });
    await project.sweep();
    expect(feedOf(project, 'training.waiting')).toEqual([expect.stringContaining('600 s ago')]);
    await project.work(700);
    expect(await fieldOf(project)).toBeNull();
  });
});

describe('the feed shows a training', () => {
  test('that fails, with its reason', async () => {
    const project = await trainable();
    const { run: id } = await project.ask();
    await project.work();
    const { token } = await project.run(id);
    await project.report(id, token ?? '', { kind: 'failed', sequence: 1, reason: 'the loss is not a number' });
    expect(feedOf(project, 'training.')).toEqual([
      `Training ${id} on version 1 starts, asked for by someone.`,
      `Training ${id} on version 1 failed (trainer-failed): The training program failed: the loss is not a number`,
    ]);
  });

  test('that is cancelled, with who did it, and its attempts before that', async () => {
    const project = await trainable();
    project.world.before = (operation) => {
      if (operation === 'compute.start') throw new Error('no machine');
    };
    const { run: id } = await project.ask();
    await project.work();
    await cancelRun(project.world.ports, name, id, 'lea', cause);
    expect(feedOf(project, 'training.')).toEqual([
      `Training ${id} on version 1 starts, asked for by someone.`,
      expect.stringMatching(/: attempt 1 ended, and it begins again. .*no machine/),
      `Training ${id} on version 1 was cancelled. Cancelled by lea.`,
    ]);
    expect(project.world.all('events').find(({ type }) => type === 'training.cancelled')?.by).toBe('lea');
  });

  test('that compute puts off again and again, once', async () => {
    const project = await trainable();
    project.world.before = (operation) => {
      if (operation === 'compute.start') throw new RetryLater('no machine is free');
    };
    await project.ask();
    await project.work(4 * 3600);
    expect(project.world.all('runs')[0]?.putOffs).toBeGreaterThan(3);
    expect(feedOf(project, 'training.put-off')).toEqual([expect.stringContaining('no machine is free')]);
    expect(feedOf(project, 'training.retried')).toEqual([]);
  });

  test('whose model is rejected, with the rules that it failed, and one whose model waits for approval', async () => {
    const { train: trained, evaluate, world } = await evaluated({ gate: { approval: 'manual' } });
    for (const answer of [wrong, right]) {
      const message = await trained(answer);
      for (let copies = 0; copies < 2; copies++) await evaluate(message);
    }
    const told = world.all('events').filter(({ type }) => !type.endsWith('.started'));
    expect(told.map(({ type, text }) => [type, text])).toEqual([
      ['training.rejected', expect.stringMatching(/which the gate rejected: accuracy 0.0 % .*always answering/)],
      ['training.registered', expect.stringContaining('made model 2, which passed the gate')],
      ['model.waiting', 'Model 2 waits to be approved or rejected: POST .../models/2/approve or /reject.'],
    ]);
  });
});
