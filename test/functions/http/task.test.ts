/** The task kind of a project, where there are two. */
import './other-kind.ts';
import { expect, test } from 'vitest';
import { projectView } from '../../../shared/api/views/project.ts';
import { createBackend } from './backend.ts';

const path = '/v1/projects/digits';
const taskOf = (json: unknown): string => projectView.parse(json).settings.task;

test('the task of a project is chosen when it is made, and stays', async () => {
  const { send } = createBackend();
  const made = await send('PUT', path, { body: { task: 'other' } });
  const patch = (body: unknown) => send('PATCH', path, { body });
  const refused = { error: { code: 'task-fixed', target: 'task' } };
  expect((await patch({ task: 'classification' })).json).toMatchObject(refused);
  expect((await patch({ task: null })).json).toMatchObject(refused);
  const headers = { 'if-match': made.headers.get('etag') ?? '' };
  expect((await send('PUT', path, { body: {}, headers })).json).toMatchObject(refused);
  expect(taskOf((await patch({ deploy: { mode: 'manual' } })).json)).toBe('other');
});

test('a project that names no task classifies; a task that there is not is refused by its name', async () => {
  const { send } = createBackend();
  expect(taskOf((await send('PUT', path, { body: { gate: { minimum: 0.5 } } })).json)).toBe('classification');
  const refused = await send('PUT', '/v1/projects/others', { body: { task: 'telepathy' } });
  expect([refused.status, refused.json]).toMatchObject([400, { error: { code: 'invalid-body', target: 'task' } }]);
});

test('settings and patches are held to the rules of the kind, where a member is another in each', async () => {
  const { send } = createBackend();
  await send('PUT', path, { body: { task: 'other' } });
  expect((await send('PATCH', path, { body: { gate: { minimum: 2 } } })).status).toBe(400);
  expect((await send('PATCH', path, { body: { gate: { minimum: 0.7 }, classes: null } })).status).toBe(200);
  expect((await send('PUT', '/v1/projects/more', { body: { task: 'other', gate: { most: 1 } } })).status).toBe(400);
});
