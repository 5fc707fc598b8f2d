/** What an Idempotency-Key stands for. */
import { expect, test } from 'vitest';
import { guardIdempotency } from '../../../functions/http/guard-idempotency.ts';
import { createFakes } from '../../simulation/fakes.ts';

const mounted = { name: 'v1-models-post', route: { method: 'POST' } } as Parameters<typeof guardIdempotency>[1];

test('a key is for one body and one query', async () => {
  const { ports } = createFakes();
  const ask = (query: object, sha256: string): Promise<void> =>
    guardIdempotency(ports, mounted, { params: { project: 'digits' }, query, idempotencyKey: 'bring-1' }, () => sha256);
  const refused = { status: 409, code: 'idempotency-key-reused' };
  await ask({ classes: ['a', 'b'] }, 'aa');
  await ask({ classes: ['a', 'b'] }, 'aa');
  await expect(ask({ classes: ['b', 'a'] }, 'aa')).rejects.toMatchObject(refused);
  await expect(ask({}, 'aa')).rejects.toMatchObject(refused);
  await expect(ask({ classes: ['a', 'b'] }, 'bb')).rejects.toMatchObject(refused);
});
