/** Keys at the routes, with a clock that is set. */
import { expect, test } from 'vitest';
import { keyId, newKey } from '../../../shared/key/secret.ts';
import { createFakes, type Fakes } from '../../simulation/fakes.ts';
import { type CallRoute, keyIn, routesOf } from './calls.ts';

/** Counts the reads of keys. */
function countReads(world: Fakes): { keys: number } {
  const reads = { keys: 0 };
  world.before = (operation, container) => {
    if (operation === 'documents.read' && container === 'keys') reads.keys++;
  };
  return reads;
}

const list = (call: CallRoute, key: string, address = '10.0.0.1:4711') =>
  call('projects-list', '/projects', { key, headers: { 'client-ip': address } });

/** A key that nobody made. */
const wrongKey = (n: number): string => {
  const bytes = Buffer.alloc(32, 0xff);
  bytes.writeUInt32BE(n);
  return newKey(bytes);
};

const wrongOnes = (from: number, count: number): string[] =>
  Array.from({ length: count }, (_, i) => wrongKey(from + i));

test('a revoked key is refused half a minute later at the latest, one that was never used at once', async () => {
  const world = createFakes();
  const call = routesOf(world);
  const [used, unused] = [keyIn(world, 1), keyIn(world, 2)];
  expect((await list(call, used)).status).toBe(200);
  for (const key of [used, unused]) await world.ports.documents.remove('keys', keyId(key) ?? '', keyId(key) ?? '');
  expect((await list(call, unused)).status).toBe(401);
  expect((await list(call, used)).status).toBe(200);
  world.pass(30);
  expect((await list(call, used)).status).toBe(401);
});

test('a wrong key a thousand times is one look, and known to be wrong for half a minute', async () => {
  const world = createFakes();
  const call = routesOf(world);
  const reads = countReads(world);
  const answers = await Promise.all(Array.from({ length: 1000 }, () => list(call, wrongKey(0))));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
  expect((await list(call, wrongKey(0))).status).toBe(401);
  expect(reads.keys).toBe(1);
  world.pass(30);
  expect((await list(call, wrongKey(0))).status).toBe(401);
  expect(reads.keys).toBe(2);
});

test('a thousand wrong keys from one address are ten looks, then 429; keys in use and other addresses go on', async () => {
  const world = createFakes();
  const call = routesOf(world);
  const [used, fresh] = [keyIn(world, 1), keyIn(world, 2)];
  expect((await list(call, used)).status).toBe(200);
  const reads = countReads(world);
  const answers = await Promise.all(wrongOnes(0, 1000).map((key) => list(call, key)));
  const statuses = answers.map(({ status }) => status);
  expect([statuses.filter((one) => one === 401).length, statuses.filter((one) => one === 429).length]).toEqual([
    10, 990,
  ]);
  expect(reads.keys).toBe(10);
  const refused = await list(call, fresh);
  expect(refused.json).toMatchObject({ status: 429, error: { code: 'too-many-wrong-keys' } });
  expect(refused.headers.get('retry-after')).toBe('10');
  expect((await list(call, used)).status).toBe(200);
  expect((await list(call, fresh, '10.0.0.2:4711')).status).toBe(200);
  world.pass(10);
  expect((await list(call, wrongKey(2000))).status).toBe(401);
});

test('wrong keys from very many addresses cost twenty looks a second in the end', async () => {
  const world = createFakes();
  const call = routesOf(world);
  const reads = countReads(world);
  await Promise.all(wrongOnes(0, 1000).map((key, i) => list(call, key, `[2001:db8:0:${i.toString(16)}::1]:4711`)));
  expect(reads.keys).toBe(200);
  world.pass(1);
  await Promise.all(wrongOnes(5000, 1000).map((key, i) => list(call, key, `10.1.${i >> 8}.${i & 255}`)));
  expect(reads.keys).toBe(220);
});

test('right keys that nobody used before are never too many', async () => {
  const world = createFakes();
  const call = routesOf(world);
  for (let n = 1; n <= 50; n++) expect((await list(call, keyIn(world, n))).status).toBe(200);
});

test('documents that cannot be read throttle nobody', async () => {
  const world = createFakes();
  const call = routesOf(world);
  const key = keyIn(world, 1);
  world.before = () => {
    throw new Error('away');
  };
  const quiet = console.error;
  console.error = () => undefined;
  for (let i = 0; i < 20; i++) expect((await list(call, key)).status).toBe(500);
  console.error = quiet;
  world.before = () => undefined;
  expect((await list(call, key)).status).toBe(200);
});

test('many requests of a key that has to be looked up are one look', async () => {
  const world = createFakes();
  const call = routesOf(world);
  const key = keyIn(world, 1);
  const reads = countReads(world);
  await Promise.all(Array.from({ length: 64 }, () => list(call, key)));
  world.pass(30);
  await Promise.all(Array.from({ length: 64 }, () => list(call, key)));
  expect(reads.keys).toBe(2);
});
