/** Samples that a job could not read: what the backend finds of them, and what becomes of the training and of the dataset. */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { sampleRoutes } from '../../functions/http/api/samples.ts';
import type { Call, HttpPorts } from '../../functions/http/route.ts';
import { storedName } from '../../shared/sample/content.ts';
import { maxUnreadable } from '../../shared/training/job-contract.ts';
import { samplePartition } from '../../shared/sample/partition.ts';
import { labelOf, sample } from '../shared/dataset/samples.ts';
import { look, sampleOf } from '../shared/dataset/committing.ts';
import { evaluated, right } from '../shared/evaluation/evaluated.ts';
import { name, trainable } from '../shared/evaluation/trainable.ts';

const md5Of = (bytes: string): string => createHash('md5').update(bytes).digest('hex');
const heartbeat = { kind: 'heartbeat', sequence: 2 };
const named = (...md5s: string[]) => ({ unreadable: md5s.map((md5) => ({ md5, reason: 'reduceh' })) });

/** A training under way; `put` makes a sample of the project, with these bytes in the store. */
async function underWay() {
  const project = await trainable();
  const { world } = project;
  const put = async (md5: string, bytes: string | null, label = 'cat'): Promise<void> => {
    const record = { ...sampleOf(1, label), id: md5, pk: samplePartition(name, md5), key: `000000001-${md5}` };
    world.put('samples', record);
    if (bytes !== null) await world.ports.blobs.create('datasets', storedName(name, md5), bytes);
  };
  const broken = md5Of('unreadable 1');
  const sound = md5Of('a picture');
  await put(broken, 'unreadable 1');
  await put(sound, 'a picture');
  const { run } = await project.ask();
  await project.work();
  const token = (await project.run(run)).token ?? '';
  await project.report(run, token, { kind: 'started', sequence: 1 });
  return {
    ...{ project, world, run, token, put, broken, sound },
    read: (md5: string) => world.read('samples', samplePartition(name, md5), md5),
    manifest: async (of: string): Promise<string> => {
      const found = await world.ports.blobs.get('jobs', `${name}/${run}/${of}/manifest.ndjson`, { maxBytes: 1e6 });
      return typeof found === 'object' ? found.body.toString() : '';
    },
  };
}

test('a sample that neither can read loses its label and waits for review, one that the backend can read stays', async () => {
  const { project, world, run, token, broken, sound, read } = await underWay();
  await project.report(run, token, { ...heartbeat, ...named(broken, sound, 'f'.repeat(32)) });
  expect(await read(broken)).toMatchObject({
    ...{ annotation: null, source: null, revision: 2 },
    setAside: {
      code: 'unreadable',
      annotation: { label: 'cat' },
      training: run,
      detail: expect.stringContaining('reduceh: no memory'),
    },
  });
  expect(await read(sound)).toMatchObject({ annotation: { label: 'cat' }, revision: 1 });
  expect(await project.run(run)).toMatchObject({
    state: 'running',
    unreadable: [{ md5: broken, reason: 'reduceh: no memory' }],
  });
  expect(world.all('events').filter(({ type }) => type === 'sample.set-aside')).toMatchObject([
    { subject: `samples/${broken}`, text: expect.stringContaining('labelled "cat"') },
  ]);
  expect(world.all('staged')).toMatchObject([{ id: broken, revision: 2 }]);
});

test('a report that is delivered again, or whose event is lost and that is found later, sets aside once', async () => {
  for (const lost of [false, true]) {
    const { project, world, run, token, broken, read } = await underWay();
    const content = { ...heartbeat, ...named(broken) };
    await project.report(run, token, content, lost);
    await project.report(run, token, content);
    world.pass(200);
    await project.work(0);
    expect((await read(broken))?.revision).toBe(2);
    expect(world.all('events').filter(({ type }) => type === 'sample.set-aside')).toHaveLength(1);
    expect((await project.run(run)).unreadable).toHaveLength(1);
  }
});

test('a crash between any two writes leaves nothing half done once the report is delivered again', async () => {
  for (const step of ['documents.replace samples', 'documents.create staged', 'documents.create events']) {
    const { project, world, run, token, broken, read } = await underWay();
    let crashed = false;
    world.before = (operation, container) => {
      if (crashed || `${operation} ${container}` !== step) return;
      crashed = true;
      throw new Error('crash');
    };
    const content = { ...heartbeat, ...named(broken) };
    await expect(project.report(run, token, content)).rejects.toThrow('crash');
    await project.report(run, token, content);
    expect((await read(broken))?.annotation).toBeNull();
    expect(world.all('staged')).toHaveLength(1);
    expect(world.all('events').filter(({ type }) => type === 'sample.set-aside')).toHaveLength(1);
  }
});

test('an execution that is not the one of the run sets nothing aside', async () => {
  const { project, run, broken, read } = await underWay();
  await project.report(run, 'another', { ...heartbeat, ...named(broken) });
  expect((await read(broken))?.annotation).toEqual({ label: 'cat' });
});

test('a job that failed on a few samples is started again without them', async () => {
  const { project, run, token, put, read, manifest } = await underWay();
  const lost = sample(1).md5;
  await put(lost, null);
  expect(await manifest(token)).toContain(lost);
  await project.report(run, token, { kind: 'failed', sequence: 2, reason: 'one picture', ...named(lost) });
  expect(await project.run(run)).toMatchObject({
    state: 'queued',
    failure: { code: 'unreadable-samples', retryable: true },
  });
  expect((await read(lost))?.setAside?.detail).toContain('its bytes are not in the store');
  await project.work(10);
  const again = await project.run(run);
  expect(again).toMatchObject({ state: 'submitted', attempt: 2 });
  expect(await manifest(again.token ?? '')).not.toContain(lost);
  expect((await manifest(again.token ?? '')).split('\n')).toHaveLength((await manifest(token)).split('\n').length - 1);
});

test('a job that failed on more than one of a hundred has failed, and they are set aside all the same', async () => {
  const { project, run, token, put, read } = await underWay();
  const lost = [1, 2].map((n) => sample(n).md5);
  for (const md5 of lost) await put(md5, null);
  await project.report(run, token, { kind: 'failed', sequence: 2, reason: 'two pictures', ...named(...lost) });
  expect(await project.run(run)).toMatchObject({ state: 'failed', failure: { code: 'trainer-failed' } });
  for (const md5 of lost) expect((await read(md5))?.annotation).toBeNull();
  expect([1, 99, 100, 199, 200, 1000].map(maxUnreadable)).toEqual([1, 1, 1, 1, 2, 10]);
});

test('a job that failed and named samples which the backend can read is not started again', async () => {
  const { project, run, token, sound, read } = await underWay();
  await project.report(run, token, { kind: 'failed', sequence: 2, reason: 'my decoder', ...named(sound) });
  expect((await project.run(run)).state).toBe('failed');
  expect((await read(sound))?.annotation).toEqual({ label: 'cat' });
});

test('what is set aside leaves the next version, is listed with its reason, and comes back by a label', async () => {
  const { project, world, run, token, broken, read } = await underWay();
  await project.report(run, token, { ...heartbeat, ...named(broken) });
  const route = (wanted: string) => sampleRoutes.find((one) => one.name === wanted)!;
  const ports = world.ports as unknown as HttpPorts;
  const call = (more: object) =>
    ({
      params: { project: name, sample: broken },
      cause: { id: 'review' },
      query: {},
      base: '',
      ...more,
    }) as unknown as Call<unknown, unknown>;
  const listed = await route('samples-list').handle(ports, call({ query: { setAside: 'true', limit: 10 } }));
  expect(listed.json).toMatchObject({ value: [{ id: broken, label: null, setAside: { code: 'unreadable' } }] });
  await route('samples-label').handle(ports, call({ body: { label: 'cat' } }));
  const labelled = await read(broken);
  expect(labelled).toMatchObject({ annotation: { label: 'cat' }, source: 'review', revision: 3 });
  expect(labelled).not.toHaveProperty('setAside');
  expect(await look(world, 100)).toContain('committed');
});

test('a test sample that cannot be read is left out of the evaluation, which says so', async () => {
  const it = await evaluated({ split: { testPercent: 45, validationPercent: 10 } });
  const { ports, world } = it;
  const test = [...Array(60).keys()].map((n) => sample(n)).find(({ split }) => split === 'test')!;
  world.put('samples', { ...sampleOf(1, labelOf(test)), id: test.md5, pk: samplePartition(name, test.md5), key: 'k' });
  const { toTensor } = ports;
  ports.toTensor = (bytes, spec) =>
    bytes.toString() === 'unreadable' ? Promise.reject(new Error('reduceh')) : toTensor(bytes, spec);
  await world.ports.blobs.overwrite('datasets', storedName(name, test.md5), 'unreadable');
  const message = await it.train(right);
  expect(await it.evaluate(message)).toMatchObject({ outcome: 'approved' });
  const [model] = world.all('models');
  const reasons = model?.verdict.reasons ?? [];
  expect(reasons).toContainEqual(expect.stringContaining('noted: 1 test samples cannot be read'));
  expect(reasons.filter((reason) => reason.includes('of classes that the model does not know'))).toEqual([]);
  const found = await world.read('samples', samplePartition(name, test.md5), test.md5);
  expect(found?.setAside?.detail).toContain('its bytes were changed in the store');
});
