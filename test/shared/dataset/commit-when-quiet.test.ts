import { describe, expect, test } from 'vitest';
import { commitWhenQuiet } from '../../../shared/dataset/commit-when-quiet.ts';
import { sweep } from '../../../shared/project/sweep.ts';
import { update } from '../../../shared/update.ts';
import { commitNow } from '../../../shared/dataset/commit-now.ts';
import { createFakes } from '../../simulation/fakes.ts';
import { add, type CommitDue, committed, look, name, planned, projectIn } from './committing.ts';

describe('a commit window', () => {
  test('becomes a version when nothing came for a while', async () => {
    const world = createFakes();
    const project = projectIn(world, { quietSeconds: 3, maxWaitSeconds: 60 });
    for (let n = 0; n < 5; n++) {
      await add(world, project, n);
      await look(world, 2);
    }
    expect(world.all('versions')).toHaveLength(0);
    await look(world, 6);
    expect(world.all('versions').map((v) => v.samples)).toEqual([5]);
    expect(await look(world, 600)).toEqual(['window-closed']);
    expect(planned(world)).toEqual([]);
  });

  test('becomes a version at its time limit in the middle of a slow upload, and what comes later makes the next', async () => {
    const world = createFakes();
    const project = projectIn(world, { quietSeconds: 50, maxWaitSeconds: 60 });
    const sizes = async (): Promise<number[]> => (await look(world, 0), world.all('versions').map((v) => v.samples));
    for (let second = 0; second < 60; second++) {
      await add(world, project, second);
      await look(world, 1);
    }
    // the limit counts, though the quiet period would have allowed forty seconds more
    expect(await sizes()).toEqual([60]);
    for (let second = 60; second < 90; second++) {
      await add(world, project, second);
      await look(world, 1);
    }
    await look(world, 200);
    expect(await sizes()).toEqual([60, 90]);
    expect(world.all('staged')).toEqual([]);
    expect(planned(world)).toEqual([]);
  });

  test('is followed by another one, however it was emptied: nobody waits for a window that is over', async () => {
    const world = createFakes();
    const project = projectIn(world);
    await add(world, project, 1);
    const head = await world.read('heads', name, 'head');
    // another committer was quicker
    await commitWhenQuiet(world.ports, {
      ...(world.sent[0]?.message as CommitDue),
      data: {
        project: name,
        generation: (head?.generation ?? 0) - 1,
        openedAt: world.ports.clock.now().toISOString(),
        now: true,
      },
    });
    expect(await committed(world)).toHaveProperty('size', 1);
    await look(world, 10);
    await add(world, project, 2);
    await look(world, 10);
    expect(await committed(world)).toHaveProperty('size', 2);
    expect((await world.ports.documents.query('staged', { limit: 10 })).items).toEqual([]);
  });

  test('closed by another committer in the middle of a commit leaves nothing unsaid', async () => {
    const world = createFakes();
    const project = projectIn(world);
    await add(world, project, 1);
    let closed = false;
    world.before = async (operation, queue) => {
      // sent, and not yet taken out of the head
      if (closed || operation !== 'messages.send' || queue !== 'trainings') return;
      closed = true;
      await update(world.ports.documents, 'heads', name, 'head', (head) =>
        head === undefined ? 'keep' : { ...head, generation: head.generation + 1 },
      );
    };
    await look(world, 300);
    expect(closed).toBe(true);
    expect(await world.read('heads', name, 'head')).toMatchObject({ unfinished: false, outbox: [] });
  });

  test('of an upload that never pauses costs one version per time limit, not more and more', async () => {
    const world = createFakes();
    const project = projectIn(world, { quietSeconds: 3, maxWaitSeconds: 60 });
    for (let n = 0; n < 1200; n++) {
      await add(world, project, n);
      await look(world, 1);
    }
    expect(world.all('versions').length).toBeLessThanOrEqual(20);
    expect(planned(world).length).toBeLessThanOrEqual(2);
    await look(world, 200);
    expect(planned(world)).toEqual([]);
    expect(await committed(world)).toHaveProperty('size', 1200);
  });

  test('looks once for each planned look, whatever is delivered twice and whatever the clocks say', async () => {
    const world = createFakes();
    const project = projectIn(world, { quietSeconds: 3 });
    await add(world, project, 1);
    const [first] = world.sent;
    // the broker's clock is ten minutes ahead of ours
    const early = first?.message as CommitDue;
    expect((await commitWhenQuiet(world.ports, early)).outcome).toBe('waiting');
    expect((await commitWhenQuiet(world.ports, early)).outcome).toBe('superseded-message');
    world.sent.shift();
    expect(await look(world, 10)).toEqual(['committed']);
    expect(world.all('versions')).toHaveLength(1);
  });

  test('waits while the one before is being committed, and takes what came meanwhile', async () => {
    const world = createFakes();
    const project = projectIn(world, { quietSeconds: 3, maxWaitSeconds: 60 });
    await add(world, project, 1);
    world.pass(3);
    const due = world.sent.shift()?.message as CommitDue;
    const meanwhile: string[] = [];
    world.before = async (operation, blob) => {
      if (operation !== 'blobs.create' || !blob.startsWith('datasets/')) return;
      world.before = () => undefined;
      for (const n of [2, 3]) {
        await add(world, project, n);
        meanwhile.push(...(await look(world, 10)));
      }
    };
    expect((await commitWhenQuiet(world.ports, due)).outcome).toBe('committed');
    expect(new Set(meanwhile)).toEqual(new Set(['waiting']));
    expect(await look(world, 5)).toEqual(['committed']);
    expect(world.all('versions').map((v) => v.samples)).toEqual([1, 3]);
  });

  test('does not wait beyond its time limit for one that is not committed', async () => {
    const world = createFakes();
    const project = projectIn(world, { quietSeconds: 3, maxWaitSeconds: 60 });
    await add(world, project, 1);
    const due = world.sent.shift()?.message as CommitDue;
    world.pass(3);
    world.before = (operation, container) => {
      if (operation === 'documents.query' && container === 'staged' && world.sent.length > 0) throw new Error('died');
    };
    await expect(commitWhenQuiet(world.ports, due)).rejects.toThrow('died');
    world.before = () => undefined;
    world.sent.length = 0;
    await add(world, project, 2);
    expect(new Set(await look(world, 59))).toEqual(new Set(['waiting']));
    expect(await look(world, 2)).toEqual(['committed']);
    expect(world.all('versions').map((v) => v.samples)).toEqual([2]);
  });

  test('whose commit keeps dying is tried again after ever longer, ten minutes at most', async () => {
    const world = createFakes();
    const project = projectIn(world, { quietSeconds: 3 });
    await add(world, project, 1);
    world.pass(3);
    let tries = 0;
    world.before = (operation, blob) => {
      if (operation === 'blobs.create' && blob.startsWith('datasets/')) throw new Error(`try ${++tries} died`);
    };
    const due = world.sent.shift()?.message as CommitDue;
    await expect(commitWhenQuiet(world.ports, due)).rejects.toThrow('died');
    for (let minute = 0; minute < 60; minute++) await look(world, 60).catch(() => world.pass(60));
    expect(tries).toBeGreaterThan(8);
    expect(tries).toBeLessThan(12);
  });

  test('whose commit dies is committed by the look that was planned before', async () => {
    const world = createFakes();
    const project = projectIn(world, { quietSeconds: 3 });
    await add(world, project, 1);
    world.pass(3);
    const due = world.sent.shift()?.message as CommitDue;
    world.before = (operation, container) => {
      if (operation === 'documents.query' && container === 'staged' && world.sent.length > 0) throw new Error('died');
    };
    await expect(commitWhenQuiet(world.ports, due)).rejects.toThrow('died');
    world.before = () => undefined;
    expect((await commitWhenQuiet(world.ports, due)).outcome).toBe('superseded-message');
    expect(await look(world, 200)).toEqual(['committed', 'window-closed']);
    expect(world.all('staged')).toEqual([]);
  });

  test('whose look dies before it has sent the next one sends it when it is delivered again', async () => {
    const world = createFakes();
    const project = projectIn(world, { quietSeconds: 3 });
    await add(world, project, 1);
    const due = world.sent.shift()?.message as CommitDue;
    world.before = (operation) => {
      if (operation === 'messages.send') throw new Error('died');
    };
    await expect(commitWhenQuiet(world.ports, due)).rejects.toThrow('died');
    world.before = () => undefined;
    expect((await commitWhenQuiet(world.ports, due)).outcome).toBe('superseded-message');
    expect(await look(world, 10)).toEqual(['committed']);
  });

  test('that lost its messages is committed by the sweep, and the next upload needs no sweep', async () => {
    const world = createFakes();
    const project = projectIn(world);
    await add(world, project, 1);
    world.sent.length = 0;
    await add(world, project, 2);
    expect(planned(world)).toEqual([]);
    world.pass(900);
    expect((await sweep(world.ports)).problems).toEqual([]);
    expect(await committed(world)).toHaveProperty('size', 2);
    await add(world, project, 3);
    await look(world, 10);
    expect(await committed(world)).toHaveProperty('size', 3);
  });

  test('larger than one commit may be goes on until all of it is committed', async () => {
    const world = createFakes();
    const project = projectIn(world, { maxItems: 10 });
    for (let n = 0; n < 25; n++) await add(world, project, n);
    await look(world, 300);
    expect(world.all('versions').map((v) => v.samples)).toEqual([10, 20, 25]);
    expect(planned(world)).toEqual([]);
  });

  test('can be committed at once', async () => {
    const world = createFakes();
    const project = projectIn(world, { quietSeconds: 3000 });
    await add(world, project, 1);
    await commitNow(world.ports, name, { id: 'operator' });
    expect(await look(world, 0)).toEqual(['committed']);
    expect(await look(world, 5000)).toEqual(['window-closed']);
  });
});
