/** Names and ids at the door: what nothing is called is a 400 before anything is read. */
import { expect, test } from 'vitest';
import { api } from '../../../../functions/http/api/api.ts';
import { mounted } from '../../../../functions/http/surface.ts';
import { pathParameters } from '../../../../shared/api/parameters.ts';
import { createBackend } from '../backend.ts';

const odd = ['%0B', '%09', '%20', '%00', '%C2%A0', 'a%2Fb', '..%5C', '%E2%80%AE', 'x'.repeat(300), '-', '__proto__'];

test('an odd name in any place of any path is a 400 that names the place, and no document is read for it', async () => {
  const backend = createBackend();
  await backend.send('GET', '/v1/projects/digits'); // the key is known from here on
  const read: string[] = [];
  backend.world.before = (operation, detail) => void read.push(`${operation} ${detail}`);
  for (const { route, path, names } of mounted(api)) {
    const { method } = route;
    for (const { name } of names) {
      for (const value of odd) {
        const asked = path.replaceAll(/\{(\w+)\}/g, (_, other: keyof typeof pathParameters) =>
          other === name ? value : String(pathParameters[other].meta()?.['example']),
        );
        const { status, json } = await backend.send(
          method,
          asked.replace('/api', ''),
          method === 'GET' ? {} : { body: {} },
        );
        expect([status, json], `${method} ${asked}`).toMatchObject([400, { error: { target: name } }]);
      }
    }
  }
  expect(read).toEqual([]);
  expect(backend.errors).toEqual([]);
});

test('the examples of the description fit it', () => {
  for (const type of Object.values(pathParameters)) {
    expect(type.meta()?.description).toBeTruthy();
    expect(type.safeParse(type.meta()?.['example']).success).toBe(true);
  }
});

test.each([
  ['/v1/projects/digits/trainings', { version: '\t' }, 'version'],
  ['/v1/projects/digits/trainings', { version: '' }, 'version'],
  ['/v1/dead-letters/evaluations/replay', { id: '\v' }, 'id'],
  ['/v1/dead-letters/evaluations/dismiss', { id: ' ', reason: 'why' }, 'id'],
])('an odd id in the body of %s is a 400', async (path, body, target) => {
  const { status, json } = await createBackend().send('POST', path, { body });
  expect([status, json]).toMatchObject([400, { error: { code: 'invalid-body', target } }]);
});
