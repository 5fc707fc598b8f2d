/** Projects: settings, and where each stands. */
import * as z from 'zod';
import { Problem } from '../../shared/api/problem.ts';
import { page, projectView, toProjectView } from '../../shared/api/schemas.ts';
import type { ProjectDocument } from '../../shared/documents.ts';
import { projectName, unassignedProject } from '../../shared/names.ts';
import { projectSettings } from '../../shared/project.ts';
import { changed, continuationOf, pageOf, projectOf, requireMatch, route } from './route.ts';

export const listQuery = {
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  continuation: z.string().max(4000).optional(),
};

export const projectRoutes = [
  route({
    name: 'projects-list',
    method: 'GET',
    path: 'v1/projects',
    role: 'viewer',
    summary: 'List projects',
    query: z.strictObject(listQuery),
    answers: { 200: page(projectView.omit({ head: true })) },
    async handle(ports, call) {
      const { limit } = call.query;
      const found = await ports.documents.query('projects', { pk: 'projects', limit, ...continuationOf(call.query) });
      const mine = found.items.filter(({ document }) => call.key.project === '*' || call.key.project === document.id);
      const value = mine.map(({ document }) => {
        const { head: _head, ...view } = toProjectView(document, undefined);
        return view;
      });
      return pageOf(call, '/projects', call.query, value, found.continuation);
    },
  }),
  route({
    name: 'projects-put',
    method: 'PUT',
    path: 'v1/projects/{p}',
    role: 'operator',
    summary: 'Create a project, or replace its settings (If-Match)',
    body: projectSettings,
    answers: { 200: projectView, 201: projectView },
    async handle(ports, call) {
      const name = projectName.safeParse(call.params['p']);
      if (!name.success || name.data === unassignedProject) {
        const why = name.success
          ? `"${unassignedProject}" is reserved`
          : (name.error.issues[0]?.message ?? 'not a name');
        throw new Problem(400, 'invalid-name', `This cannot be a project's name: ${why}.`, { target: 'p' });
      }
      const at = ports.clock.now().toISOString();
      const current = await ports.documents.read('projects', 'projects', name.data);
      if (current !== undefined) requireMatch(call, current.etag);
      else if (call.ifMatch !== undefined) throw changed();
      const document: ProjectDocument = {
        id: name.data,
        pk: 'projects',
        settings: call.body,
        createdAt: current?.document.createdAt ?? at,
        updatedAt: at,
      };
      const saved =
        current === undefined
          ? await ports.documents.create('projects', document)
          : await ports.documents.replace('projects', document, current.etag);
      if (saved === 'exists' || saved === 'changed') throw changed();
      const head = await ports.documents.read('heads', name.data, 'head');
      const json = toProjectView(saved.document, head?.document);
      return { status: current === undefined ? 201 : 200, json, headers: { etag: saved.etag } };
    },
  }),
  route({
    name: 'projects-get',
    method: 'GET',
    path: 'v1/projects/{p}',
    role: 'viewer',
    summary: 'Read a project with its dataset head',
    answers: { 200: projectView },
    async handle(ports, call) {
      const project = await projectOf(ports, call);
      const head = await ports.documents.read('heads', project.document.id, 'head');
      return { status: 200, json: toProjectView(project.document, head?.document), headers: { etag: project.etag } };
    },
  }),
];
