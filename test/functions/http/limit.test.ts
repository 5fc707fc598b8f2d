/** Rate limits at the routes, with a clock that is set. */
import { expect, test } from 'vitest';
import { projectSettings } from '../../../shared/project/settings.ts';
import { createFakes } from '../../simulation/fakes.ts';
import { type CallRoute, keyIn, routesOf } from './calls.ts';

const rateLimits = { key: { perSecond: 2, burst: 3 }, project: { perSecond: 4, burst: 5 } };
const uploads = (call: CallRoute, key: string, project = 'digits') =>
  call('uploads-list', `/projects/${project}/uploads`, { key });
const statuses = async (calls: (() => ReturnType<CallRoute>)[]): Promise<(number | undefined)[]> => {
  const found = [];
  for (const one of calls) found.push((await one()).status);
  return found;
};
const times = <T>(count: number, one: T): T[] => Array.from({ length: count }, () => one);

function createProjects() {
  const world = createFakes();
  for (const id of ['digits', 'other'])
    world.put('projects', { id, pk: 'projects', settings: projectSettings.parse({}) } as never);
  return { world, call: routesOf(world, { rateLimits }) };
}

test('a key that calls too often is told when to come back; another key is served', async () => {
  const { world, call } = createProjects();
  const [often, seldom] = [keyIn(world, 1), keyIn(world, 2)];
  expect(await statuses(times(4, () => uploads(call, often)))).toEqual([200, 200, 200, 429]);
  const refused = await uploads(call, often);
  expect(refused.json).toMatchObject({ status: 429, error: { code: 'rate-limited' } });
  expect(refused.json['detail']).toBe('This key calls more than 2 times a second. Wait 1 s, and call less often.');
  expect(refused.headers.get('retry-after')).toBe('1');
  expect((await uploads(call, seldom)).status).toBe(200);
  world.pass(1);
  expect(await statuses(times(3, () => uploads(call, often)))).toEqual([200, 200, 429]);
});

test('every answer to a key says what is left, errors too', async () => {
  const { world, call } = createProjects();
  const key = keyIn(world, 1);
  const { headers } = await uploads(call, key);
  expect(headers.get('ratelimit-policy')).toBe('"key";q=3;w=2, "project";q=5;w=2');
  expect(headers.get('ratelimit')).toBe('"key";r=2;t=1, "project";r=4;t=1');
  const unknown = await call('uploads-get', '/projects/digits/uploads/none', { key });
  expect(unknown.status).toBe(404);
  expect(unknown.headers.get('ratelimit')).toBe('"key";r=1;t=1, "project";r=3;t=1');
  const everywhere = await call('projects-list', '/projects', { key });
  expect(everywhere.headers.get('ratelimit')).toBe('"key";r=0;t=2');
  expect((await call('health-live', '/health/live')).headers.get('ratelimit')).toBeNull();
});

test('the keys of one project share its rate, which others do not feel', async () => {
  const { world, call } = createProjects();
  const [one, two] = [keyIn(world, 1), keyIn(world, 2)];
  expect(await statuses([...times(3, () => uploads(call, one)), ...times(3, () => uploads(call, two))])).toEqual([
    ...[200, 200, 200],
    ...[200, 200, 429],
  ]);
  const elsewhere = keyIn(world, 3);
  const refused = await uploads(call, elsewhere);
  expect(refused.json['detail']).toMatch(/^The keys of this project together call more than 4 times a second\./);
  expect((await uploads(call, elsewhere, 'other')).status).toBe(200);
});

test('who may not call a project does not use up its rate', async () => {
  const { world, call } = createProjects();
  const stranger = keyIn(world, 1, 'viewer', 'other');
  expect(await statuses(times(4, () => uploads(call, stranger)))).toEqual([403, 403, 403, 429]);
  const own = keyIn(world, 2, 'viewer', 'digits');
  expect((await uploads(call, own)).headers.get('ratelimit')).toBe('"key";r=2;t=1, "project";r=4;t=1');
});
