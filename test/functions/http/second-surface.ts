/** A surface that nobody asked for: the notes of a project, in a protocol unlike that of the API. All of it is here. */
import * as z from 'zod';
import { Problem } from '../../../shared/api/problem.ts';
import { type HttpPorts, route } from '../../../functions/http/route.ts';
import type { Surface } from '../../../functions/http/surface.ts';

const noteName = z.string().regex(/^[a-z]{1,20}$/, 'a note has 1 to 20 letters');

/** by project and name */
const notes = new Map<string, string>();

const stored = (project: string, note: string): string => {
  const text = notes.get(`${project}/${note}`);
  if (text === undefined) throw new Problem(404, 'unknown-note', `There is no note ${note}.`);
  return text;
};

const noteView = z.object({ text: z.string() });

/** Errors are `{error_code, message}`, the key is a password, and one path lies outside of the prefix. */
export const notesSurface: Surface = {
  name: 'notes',
  prefix: '/wire/2.0/notes',
  parameters: { project: z.string().regex(/^[a-z]+$/), note: noteName },
  described: 'the manual of notes',
  credentials: {
    keyIn(headers) {
      const [, pair] = /^Basic (.+)$/.exec(headers.get('authorization') ?? '') ?? [];
      return pair && Buffer.from(pair, 'base64').toString().split(':')[1];
    },
    advice: 'Send the key as the password.',
    challenge: 'Basic realm="notes"',
  },
  renderProblem: ({ code, message, status }) => ({
    // its clients know no 412
    status: status === 412 ? 409 : status,
    headers: { 'x-notes': 'error' },
    json: { error_code: code.replaceAll('-', '_').toUpperCase(), message },
  }),
  notFound(_method, path) {
    throw new Problem(404, 'endpoint-not-found', `No API at ${path}.`);
  },
  routes: [
    route({
      name: 'get',
      method: 'GET',
      path: '{project}/{note}',
      role: 'viewer',
      summary: 'Read a note',
      answers: { 200: noteView },
      handle: async (_ports: HttpPorts, { params }) => ({
        status: 200,
        json: { text: stored(params.project, params.note) },
      }),
    }),
    route({
      name: 'patch',
      method: 'PATCH',
      path: '{project}/{note}',
      role: 'labeler',
      summary: 'Write a note',
      body: z.strictObject({ text: z.string().max(100) }),
      answers: { 200: noteView },
      async handle(_ports, { params, body, by, base }) {
        notes.set(`${params.project}/${params.note}`, body.text);
        return { status: 200, json: { text: body.text, by, self: `${base}/${params.project}/${params.note}` } };
      },
    }),
    route({
      name: 'delete',
      method: 'DELETE',
      path: '{project}/{note}',
      role: 'operator',
      summary: 'Remove a note, if it still says what it said',
      body: z.strictObject({ seen: z.string() }),
      answers: { 200: z.object({}) },
      async handle(_ports, { params, body }) {
        if (stored(params.project, params.note) !== body.seen) throw new Problem(412, 'note-changed', 'Read it again.');
        notes.delete(`${params.project}/${params.note}`);
        return { status: 200, json: {} };
      },
    }),
    route({
      name: 'version',
      method: 'GET',
      path: '/version',
      role: 'open',
      summary: 'Which protocol this is',
      answers: { 200: z.string() },
      handle: () => Promise.resolve({ status: 200, text: '2.0' }),
    }),
  ],
};
