import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { commitWhenQuiet } from '../../../shared/dataset/commit-when-quiet.ts';
import { sweep } from '../../../shared/project/sweep.ts';
import { commit } from '../../../shared/dataset/commit.ts';
import { update } from '../../../shared/update.ts';
import { commitNow } from '../../../shared/dataset/commit-now.ts';
import { stageSample } from '../../../shared/dataset/stage-sample.ts';
import type { ProjectDocument } from '../../../shared/project/document.ts';
import { labelIn } from './samples.ts';
import { createFakes, type Fakes } from '../../simulation/fakes.ts';
import { add, type CommitDue, committed, look, planned, name, projectIn, relabel, sampleOf } from './committing.ts';

test('a commit is not begun anew because windows close meanwhile', async () => {
  const world = createFakes();
  const project = projectIn(world);
  for (let n = 0; n < 50; n++) await add(world, project, n);
  let listed = 0;
  world.before = async (operation, detail) => {
    if (operation === 'documents.query' && detail === 'staged') listed++;
    if (operation !== 'blobs.create' || !detail.startsWith('datasets/')) return;
    await update(world.ports.documents, 'heads', name, 'head', (head) =>
      head === undefined ? 'keep' : { ...head, generation: head.generation + 1 },
    );
  };
  expect(await commit(world.ports, project, { id: 'test' })).toMatchObject({ version: { number: 1, samples: 50 } });
  expect(listed).toBe(1);
  expect(await world.read('heads', name, 'head')).toMatchObject({ unfinished: false, outbox: [] });
});

describe('a label', () => {
  test('changed while its sample is being committed is in the next version', async () => {
    const world = createFakes();
    const project = projectIn(world);
    await add(world, project, 1);
    let done = false;
    world.before = async (operation, container) => {
      // the committer has read the sample with its old label and is about to take it out of the staged ones
      if (done || operation !== 'documents.batch' || container !== 'staged') return;
      done = true;
      await relabel(world, project, 1, 'b');
    };
    await look(world, 300);
    expect([...(await committed(world)).values()]).toEqual(['b']);
    expect(world.all('staged')).toEqual([]);
  });

  describe('that is given back while the one between is being committed', () => {
    async function givenBack() {
      const world = createFakes();
      const project = projectIn(world);
      await add(world, project, 1);
      // by review, as it will be given back
      await relabel(world, project, 1, 'a');
      await look(world, 100);
      await relabel(world, project, 1, 'b');
      const settled = async () => {
        world.before = () => undefined;
        await look(world, 300);
        return { labels: [...(await committed(world)).values()], staged: world.all('staged') };
      };
      return {
        world,
        settled,
        commit: (by: string) => commit(world.ports, project, { id: by }),
        giveBack: () => relabel(world, project, 1, 'a'),
      };
    }
    const writes = (operation: string, blob: string) => operation === 'blobs.create' && blob.startsWith('datasets/');

    test('is what counts: the older commit does not become the head', async () => {
      const { world, commit: commitAs, giveBack, settled } = await givenBack();
      let overtaken = false;
      world.before = async (operation, detail) => {
        if (overtaken || !writes(operation, detail)) return;
        overtaken = true;
        await giveBack();
        await commitAs('the newer');
      };
      await commitAs('the older');
      expect(overtaken).toBe(true);
      expect(await settled()).toEqual({ labels: ['a'], staged: [] });
    });

    test('is what counts, though the older commit is done just before the newer finds nothing to change', async () => {
      const { world, commit: commitAs, giveBack, settled } = await givenBack();
      const decided = Promise.withResolvers<void>();
      const olderDone = Promise.withResolvers<void>();
      let newer: Promise<unknown> | undefined;
      let waits = false;
      world.before = async (operation, detail) => {
        if (newer === undefined && writes(operation, detail)) {
          newer = Promise.resolve();
          await giveBack();
          newer = commitAs('the newer');
          await decided.promise;
        } else if (!waits && operation === 'documents.replace' && detail === 'heads') {
          waits = true;
          decided.resolve();
          await olderDone.promise;
        }
      };
      await commitAs('the older');
      olderDone.resolve();
      await newer;
      expect(await settled()).toEqual({ labels: ['a'], staged: [] });
    });
  });

  test('that is given back is not taken out by who finishes the version before too late', async () => {
    const world = createFakes();
    const project = projectIn(world);
    await add(world, project, 1);
    await relabel(world, project, 1, 'a');
    const commitAs = (id: string) => commit(world.ports, project, { id });
    world.before = (operation, detail) => {
      if (operation === 'documents.create' && detail === 'versions') throw new Error('died');
    };
    await expect(commitAs('who dies')).rejects.toThrow('died');
    const between = Promise.withResolvers<void>();
    const late = Promise.withResolvers<void>();
    let next: Promise<unknown> | undefined;
    let isLate = false;
    let isBack = false;
    world.before = async (operation, detail) => {
      const finishes = world.all('heads').some((head) => head.unfinished);
      if (!isLate && operation === 'documents.read' && detail === 'samples' && finishes) {
        isLate = true;
        await commitAs('somebody who finishes it in time');
        await relabel(world, project, 1, 'b');
        next = commitAs('the next');
        await between.promise;
      } else if (isLate && !isBack && operation === 'blobs.create' && detail.startsWith('datasets/')) {
        isBack = true;
        await relabel(world, project, 1, 'a');
        between.resolve();
        await late.promise;
      }
    };
    await commitAs('the late one');
    expect(next).toBeDefined();
    late.resolve();
    await next;
    world.before = () => undefined;
    await look(world, 300);
    expect([...(await committed(world)).values()]).toEqual(['a']);
    expect(world.all('staged')).toEqual([]);
  });

  test('set again to what it is already leaves nothing staged, whether or not anything else is committed', async () => {
    const world = createFakes();
    const project = projectIn(world);
    await add(world, project, 1);
    await look(world, 100);
    for (const more of [undefined, 2, undefined]) {
      await relabel(world, project, 1, 'a');
      if (more !== undefined) await add(world, project, more);
      await look(world, 100);
      expect(world.all('staged')).toEqual([]);
    }
    // the first review changes where the label comes from
    expect(world.all('versions')).toHaveLength(3);
  });

  test('staged late, when a newer one is committed already, is taken out again', async () => {
    const world = createFakes();
    const project = projectIn(world);
    await add(world, project, 1);
    const { pk, id } = sampleOf(1);
    const old = await world.read('samples', pk, id);
    await relabel(world, project, 1, 'b');
    await look(world, 100);
    if (old !== undefined) await stageSample(world.ports, old, project.settings, { id: 'slow' });
    await look(world, 100);
    expect([...(await committed(world)).values()]).toEqual(['b']);
    expect(world.all('staged')).toEqual([]);
  });

  test('saved by a request that died before it staged it is committed with the next change, and nothing stays behind', async () => {
    const world = createFakes();
    const project = projectIn(world);
    await add(world, project, 1);
    const { pk, id } = sampleOf(1);
    const sample = await world.read('samples', pk, id);
    if (sample !== undefined) world.put('samples', { ...sample, annotation: { label: 'b' }, revision: 2 });
    await look(world, 300);
    expect([...(await committed(world)).values()]).toEqual(['b']);
    expect(world.all('staged')).toEqual([]);
  });
});

const step = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('add' as const), n: fc.nat(4) }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('relabel' as const), n: fc.nat(2), label: fc.constantFrom('b', 'c') }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('look' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('now' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('sweep' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

async function perform(world: Fakes, project: ProjectDocument, s: Step): Promise<void> {
  if (s.kind === 'add') return add(world, project, s.n);
  if (s.kind === 'relabel') return relabel(world, project, s.n, s.label);
  if (s.kind === 'now') return void (await commitNow(world.ports, name, { id: 'now' }));
  world.pass(s.kind === 'sweep' ? 200 : 3);
  if (s.kind === 'sweep') return void (await sweep(world.ports));
  const next = world.take({ queue: 'dataset-commits', until: Infinity });
  if (next === undefined) return;
  // what dies is delivered again
  const deliver = () => commitWhenQuiet(world.ports, next.message as CommitDue);
  await deliver().catch(deliver);
}

test(
  'uploads, reviews, commits and crashes in any interleaving: every sample is in the head with its last label',
  { timeout: 200_000 },
  async () => {
    const plan = fc.array(step, { minLength: 2, maxLength: 7 });
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), plan, fc.option(fc.nat(60), { nil: -1 }), async (scheduler, steps, crashAt) => {
        const world = createFakes();
        const project = projectIn(world);
        for (let n = 0; n < 3; n++) await add(world, project, n);
        let operations = 0;
        world.before = async (operation) => {
          await scheduler.schedule(Promise.resolve(operation));
          if (operations++ === crashAt) throw new Error('died');
        };
        const died: Step[] = [];
        await scheduler.waitFor(Promise.all(steps.map((s) => perform(world, project, s).catch(() => died.push(s)))));
        world.before = () => undefined;
        // a request that got no answer is repeated
        for (const s of died) await perform(world, project, s);
        await look(world, 1000);

        const labels = await committed(world);
        const samples = world.all('samples');
        expect(labels.size).toBe(samples.length);
        for (const { id, annotation, key, firstVersion } of samples) {
          expect(labels.get(id)).toBe(labelIn({ annotation }));
          expect([key === null, firstVersion === null]).toEqual([false, false]);
        }
        expect(world.all('staged')).toEqual([]);
        expect(planned(world)).toEqual([]);
        const numbers = world.all('versions').map((v) => v.number);
        expect(numbers.sort((a, b) => a - b)).toEqual(numbers.map((_, i) => i + 1));
      }),
      { numRuns: 500 },
    );
  },
);
