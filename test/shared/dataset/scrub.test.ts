import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { storedName } from '../../../shared/sample/content.ts';
import { newEndpoint } from '../../../shared/endpoint/endpoint.ts';
import type { EndpointDocument } from '../../../shared/endpoint/document.ts';
import type { SampleDocument } from '../../../shared/sample/document.ts';
import { modelBlob } from '../../../shared/model/artifact.ts';
import { scrub } from '../../../shared/dataset/scrub.ts';
import { samplePartition } from '../../../shared/sample/partition.ts';
import { createFakes } from '../../simulation/fakes.ts';

const project = 'digits';
const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

async function stocked(count: number) {
  const world = createFakes();
  const ids = Array.from({ length: count }, (_, n) => md5(`sample ${n}`));
  for (const [n, id] of ids.entries()) {
    await world.ports.blobs.create('datasets', storedName(project, id), `sample ${n}`);
    world.put('samples', { id, pk: samplePartition(project, id), project } as SampleDocument);
  }
  return { world, ids };
}

/** All calls of a scrub, with so many samples a call. */
async function whole(world: Awaited<ReturnType<typeof stocked>>['world'], limit = 1000) {
  const reports = [];
  for (let from: string | null = '00'; from !== null; from = reports.at(-1)?.next ?? null)
    reports.push(await scrub(world.ports, project, from, limit));
  return {
    calls: reports.length,
    samples: reports.reduce((n, r) => n + r.samples, 0),
    found: reports.flatMap((r) => r.found),
  };
}

test('a store in order is read whole, whatever the size of a call', async () => {
  const { world } = await stocked(500);
  expect(await whole(world)).toEqual({ calls: 1, samples: 500, found: [] });
  const small = await whole(world, 40);
  expect([small.samples, small.found]).toEqual([500, []]);
  expect(small.calls).toBeGreaterThan(8);
});

test('the directory of an export is checked like a sample, and is none', async () => {
  const { world } = await stocked(3);
  const listing = '[{"md5":"a","relpath":"7/b.png"}]';
  await world.ports.blobs.create('datasets', storedName(project, `${md5(listing)}.dir`), listing);
  expect(await whole(world)).toEqual({ calls: 1, samples: 3, found: [] });
  await world.ports.blobs.overwrite('datasets', storedName(project, `${md5(listing)}.dir`), 'rot');
  expect((await whole(world)).found).toMatchObject([{ what: 'damaged' }]);
});

test('bytes that changed, are gone, or belong to nobody are named, each once', async () => {
  const { world, ids } = await stocked(300);
  const [damaged = '', missing = ''] = ids;
  await world.ports.blobs.overwrite('datasets', storedName(project, damaged), 'rot');
  await world.ports.blobs.remove('datasets', storedName(project, missing));
  const orphan = md5('orphan');
  await world.ports.blobs.create('datasets', storedName(project, orphan), 'orphan');
  const { found } = await whole(world, 50);
  expect(Object.fromEntries(found.map(({ blob, what }) => [blob, what]))).toEqual({
    [`datasets/${storedName(project, damaged)}`]: 'damaged',
    [`datasets/${storedName(project, missing)}`]: 'missing',
    [`datasets/${storedName(project, orphan)}`]: 'orphaned',
  });
  expect(found).toHaveLength(3);
});

test('every model that is live, on trial or one rollback away is read', async () => {
  const { world } = await stocked(1);
  const target = (model: number, text: string) => ({ model, digest: sha256(text), deployment: `o${model}` });
  await world.ports.blobs.create('models', modelBlob(project, sha256('one')), 'one');
  await world.ports.blobs.create('models', modelBlob(project, sha256('two')), 'another');
  const endpoint = {
    ...newEndpoint,
    production: target(1, 'one'),
    previous: target(2, 'two'),
    canary: target(3, 'three'),
  };
  world.put('endpoints', { id: 'endpoint', pk: project, ...endpoint } as EndpointDocument);
  const report = await scrub(world.ports, project, '00', 1);
  expect(report.models).toBe(3);
  expect(report.found.map(({ blob, what }) => [blob, what])).toEqual([
    [`models/${modelBlob(project, sha256('three'))}`, 'missing'],
    [`models/${modelBlob(project, sha256('two'))}`, 'damaged'],
  ]);
  expect((await scrub(world.ports, project, '01', 1)).models).toBe(0);
});
