import { describe, expect, test } from 'vitest';
import type { ProjectDocument } from '../../../shared/project/document.ts';
import type { Stored } from '../../../shared/ports.ts';
import { projectSettings } from '../../../shared/project/settings.ts';
import { changeSettings, settingsChanges } from '../../../shared/project/change-settings.ts';
import { createProject } from '../../../shared/project/create.ts';
import { sendProjectOutbox } from '../../../shared/project/send-outbox.ts';
import { createFakes } from '../../simulation/fakes.ts';

const settings = projectSettings.parse({});
const cause = { id: 'test' };

test('every setting that differs is named with both values, long ones cut', () => {
  const other = projectSettings.parse({
    classes: Array.from({ length: 100 }, (_, n) => `class ${n}`),
    gate: { minimum: 0.9, baseline: 'noted' },
    deploy: { canary: { percent: 10, minRequests: 5, maxErrorRate: 0.1, durationSeconds: 60 } },
  });
  expect(settingsChanges(settings, settings)).toEqual([]);
  const changes = settingsChanges(settings, other);
  expect(changes).toContain('gate.minimum from 0.8 to 0.9');
  expect(changes).toContain('gate.baseline from unset to "noted"');
  expect(changes).toContain('deploy.canary from null to unset');
  expect(changes).toContain('deploy.canary.percent from unset to 10');
  expect(changes[0]).toMatch(/^classes from \[\] to \["class 0".*\.\.\.$/);
});

describe('a project', () => {
  test('tells who made it and who changed what, with an ETag that holds afterwards', async () => {
    const world = createFakes();
    const { ports } = world;
    const made = (await createProject(ports, 'digits', settings, 'ann', cause)) as Stored<ProjectDocument>;
    const changed = await changeSettings(ports, made, projectSettings.parse({ gate: { minimum: 0.9 } }), 'bob', cause);
    const now = await ports.documents.read('projects', 'projects', 'digits');
    expect((changed as Stored<ProjectDocument>).etag).toBe(now?.etag);
    expect(now?.document).toMatchObject({ outbox: [], settings: { gate: { minimum: 0.9 } } });
    expect(world.all('events').map(({ type, text, by }) => [type, text, by])).toEqual([
      ['project.created', 'ann made the project.', 'ann'],
      ['project.changed', 'bob changed gate.minimum from 0.8 to 0.9.', 'bob'],
    ]);
  });

  test('whose change was saved and not told tells it when somebody looks after it', async () => {
    const world = createFakes();
    const made = (await createProject(world.ports, 'digits', settings, 'ann', cause)) as Stored<ProjectDocument>;
    world.before = (operation, container) => {
      if (operation === 'documents.create' && container === 'events') throw new Error('died');
    };
    const other = projectSettings.parse({ gate: { minimum: 0.9 } });
    await expect(changeSettings(world.ports, made, other, 'bob', cause)).rejects.toThrow('died');
    world.before = () => undefined;
    const stored = await world.ports.documents.read('projects', 'projects', 'digits');
    await sendProjectOutbox(world.ports, stored as Stored<ProjectDocument>);
    expect(world.all('events')).toHaveLength(2);
    expect((await world.read('projects', 'projects', 'digits'))?.outbox).toEqual([]);
  });

  test('that somebody else has changed meanwhile is left alone, and nothing is told', async () => {
    const world = createFakes();
    const { ports } = world;
    const made = (await createProject(ports, 'digits', settings, 'ann', cause)) as Stored<ProjectDocument>;
    const stale = { ...made, etag: '"old"' };
    expect(await changeSettings(ports, stale, projectSettings.parse({ classes: ['a', 'b'] }), 'bob', cause)).toBe(
      'changed',
    );
    expect(world.all('events')).toHaveLength(1);
  });
});
