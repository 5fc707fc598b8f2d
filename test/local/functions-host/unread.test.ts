import { expect, test } from 'vitest';
import { rawClient } from '../raw-client.ts';
import { runApp } from './app.ts';

const refusing = `
  const post = { methods: ['POST'], authLevel: 'anonymous' };
  app.http('none', { ...post, handler: async () => ({ status: 401, body: 'who?' }) });
  app.http('first', { ...post, handler: async ({ body }) => {
    await body[Symbol.asyncIterator]().next();
    return { status: 413, body: 'too much' };
  } });
  app.http('locked', { ...post, authLevel: 'function', handler: async () => ({}) });`;

test('a body that is refused while it comes has its answer, and the connection serves the next request', async () => {
  const host = await runApp(`app.setup({ enableHttpStream: true });${refusing}`);
  const client = rawClient(host.port);
  const names = ['none', 'first', 'locked', 'unknown', 'none', 'first'];
  const found = [];
  for (const name of names) found.push(await client.send(`/api/${name}`, 40e6));
  expect(found).toEqual(['401 who?', '413 too much', '401', '404', '401 who?', '413 too much']);
}, 30_000);
