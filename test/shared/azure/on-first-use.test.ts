import { expect, test } from 'vitest';
import { portOnFirstUse } from '../../../shared/azure/on-first-use.ts';

interface Port {
  add(a: number, b: number): Promise<number>;
  fail(): Promise<never>;
}

const counted = (failures = 0) => {
  const counter = { loads: 0 };
  const port = portOnFirstUse<Port>({ add: true, fail: true }, async () => {
    if (++counter.loads <= failures) throw new Error('too many open files');
    return { add: async (a, b) => a + b, fail: () => Promise.reject(new Error('refused')) };
  });
  return { counter, port };
};

test('a port is loaded once, by the first call of many at once', async () => {
  const { counter, port } = counted();
  expect(counter.loads).toBe(0);
  expect(await Promise.all([port.add(1, 2), port.add(3, 4)])).toEqual([3, 7]);
  await expect(port.fail()).rejects.toThrow('refused');
  expect(counter.loads).toBe(1);
});

test('a load that fails fails its calls, and the next call loads again', async () => {
  const { counter, port } = counted(1);
  const both = await Promise.allSettled([port.add(1, 2), port.add(3, 4)]);
  expect(both).toMatchObject([{ reason: { message: 'too many open files' } }, { status: 'rejected' }]);
  expect(await port.add(1, 2)).toBe(3);
  expect(counter.loads).toBe(2);
});
