import { randomUUID } from 'node:crypto';

import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openFeatureStore } from '../../../trainers/embedded/feature-store.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'features-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const md5 = (i: number): string => i.toString(16).padStart(32, '0');
const row = (i: number): Float32Array => Float32Array.of(i, i / 3, -i);
const files = async (): Promise<string[]> =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));

test('what is written is read by another job, and for this version of the features alone', async () => {
  const store = await openFeatureStore(folder, 'one', 3);
  expect(await store.read(md5(1))).toBeUndefined();
  await store.write(md5(1), row(1));
  expect(await (await openFeatureStore(folder, 'one', 3)).read(md5(1))).toEqual(row(1));
  expect(await (await openFeatureStore(folder, 'two', 3)).read(md5(1))).toBeUndefined();
  expect(await (await openFeatureStore(folder, 'one', 4)).read(md5(1))).toBeUndefined();
});

test('what is damaged is nothing', async () => {
  const store = await openFeatureStore(folder, 'one', 3);
  await store.write(md5(1), row(1));
  const [file = ''] = await files();
  const whole = await readFile(file);
  for (const at of [0, whole.length - 1]) {
    const changed = Buffer.from(whole);
    changed[at] = (changed[at] ?? 0) ^ 1;
    await writeFile(file, changed);
    expect(await store.read(md5(1))).toBeUndefined();
  }
  await writeFile(file, whole.subarray(0, 7));
  expect(await store.read(md5(1))).toBeUndefined();
});

test('jobs that write the same at once leave one whole file each, and nothing that is begun', async () => {
  const stores = await Promise.all([1, 2, 3].map(() => openFeatureStore(folder, 'one', 3)));
  await Promise.all(stores.flatMap((store) => [1, 2, 3, 4].map((i) => store.write(md5(i), row(i)))));
  expect(await files()).toHaveLength(4);
  for (const i of [1, 2, 3, 4]) expect(await stores[0]?.read(md5(i))).toEqual(row(i));
});

test('what was not used for longest is removed down to the bound, also what a killed job left behind', async () => {
  const eachBytes = 3 * 4 + 8;
  for (const i of [1, 2, 3]) await (await openFeatureStore(folder, 'one', 3)).write(md5(i), row(i));
  const store = await openFeatureStore(folder, 'one', 3, 2 * eachBytes);
  const [first = ''] = await files();
  const begun = path.join(path.dirname(first), `.${md5(4)}.${randomUUID()}`);
  await writeFile(begun, Buffer.alloc(5));
  // a minute apart, in the order in which they were written
  const all = [begun, ...[1, 2, 3].map((i) => path.join(path.dirname(first), md5(i)))];
  for (const [i, file] of all.entries()) await utimes(file, 1000 + 60 * i, 1000 + 60 * i);
  expect(await store.read(md5(1))).toEqual(row(1));
  await store.trim();
  expect((await files()).map((file) => path.basename(file)).sort()).toEqual([md5(1), md5(3)]);
});

test('one job writes no more than may stay', async () => {
  const store = await openFeatureStore(folder, 'one', 3, 2 * (3 * 4 + 8));
  for (const i of [1, 2, 3, 4]) await store.write(md5(i), row(i));
  expect(await files()).toHaveLength(2);
});

test('files of others in the folder are left alone', async () => {
  const notes = [path.join(folder, 'notes.txt'), path.join(folder, 'scans', md5(1)), path.join(folder, md5(2))];
  await mkdir(path.join(folder, 'scans'));
  for (const file of notes) await writeFile(file, Buffer.alloc(100));
  const store = await openFeatureStore(folder, 'one', 3, 50);
  await store.write(md5(1), row(1));
  await store.trim();
  expect(await files()).toHaveLength(notes.length + 1);
});

test('without a folder that can be written to nothing is kept, and nothing fails', async () => {
  const blocked = path.join(folder, 'file');
  await writeFile(blocked, '');
  const store = await openFeatureStore(path.join(blocked, 'below'), 'one', 3);
  await store.write(md5(1), row(1));
  expect(await store.read(md5(1))).toBeUndefined();
  await store.trim();
});
