import { expect, test } from 'vitest';
import { readBody } from '../../../functions/http/body.ts';

async function* chunks(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

test('a body is read whole; none is empty', async () => {
  expect((await readBody(chunks('ab', '', 'c'), 3)).toString()).toBe('abc');
  expect(await readBody(null, 3)).toHaveLength(0);
});

test('a body that is too large is refused at the first byte too many', async () => {
  let read = 0;
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (; read < 100; read++) yield Buffer.alloc(10);
  }
  await expect(readBody(endless(), 35)).rejects.toMatchObject({ status: 413, code: 'body-too-large' });
  expect(read).toBe(3);
});

test('a body that ends early is the client’s fault, not ours', async () => {
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('{"a":');
    throw new Error('aborted');
  }
  await expect(readBody(broken(), 100)).rejects.toMatchObject({ status: 400, code: 'body-incomplete' });
});

test('a body that does not end holds nothing up for ever', async () => {
  async function* stuck(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('{');
    await new Promise(() => undefined);
  }
  await expect(readBody(stuck(), 100, 20)).rejects.toMatchObject({ status: 408, code: 'body-too-slow' });
});
