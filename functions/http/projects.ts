/** Projects: settings, and where each stands. */
import * as z from 'zod';
import { Problem } from '../../shared/api/problem.ts';
import { toVersionView } from '../../shared/api/views/dataset.ts';
import { page } from '../../shared/api/views/page.ts';
import { projectStatusView, projectView, toProjectView, uploadStates } from '../../shared/api/views/project.ts';
import type { ProjectDocument } from '../../shared/documents.ts';
import { projectName, unassignedProject } from '../../shared/names.ts';
import { projectSettings } from '../../shared/project.ts';
import { changed, continuationOf, type HttpPorts, pageOf, projectOf, requireMatch, route } from './route.ts';

export const listQuery = {
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  continuation: z.string().max(4000).optional(),
};

async function countsOf(ports: HttpPorts, project: string) {
  const { documents } = ports;
  const [samples, versions, trainings, models, ...uploads] = await Promise.all([
    documents.count('samples', { equals: { project } }),
    documents.count('versions', { pk: project }),
    documents.count('runs', { pk: project }),
    documents.count('models', { pk: project }),
    ...uploadStates.map((status) => documents.count('uploads', { equals: { project, status } })),
  ]);
  const byState = Object.fromEntries(uploadStates.map((state, i) => [state, uploads[i] ?? 0]));
  return { uploads: byState, samples, versions, trainings, models };
}

export const projectRoutes = [
  route({
    name: 'projects-list',
    method: 'GET',
    path: 'v1/projects',
    role: 'viewer',
    scope: 'any-key',
    summary: 'List the projects that the key is for',
    query: z.strictObject(listQuery),
    answers: { 200: page(projectView) },
    async handle(ports, call) {
      const { limit } = call.query;
      const found = await ports.documents.query('projects', { pk: 'projects', limit, ...continuationOf(call.query) });
      const mine = found.items.filter(({ document }) => call.key.project === '*' || call.key.project === document.id);
      const value = mine.map(({ document }) => toProjectView(document));
      return pageOf(call, '/projects', call.query, value, found.continuation);
    },
  }),
  route({
    name: 'projects-put',
    method: 'PUT',
    path: 'v1/projects/{p}',
    role: 'operator',
    summary: 'Create a project, or replace its settings (If-Match)',
    takesIfMatch: 'optional',
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
      const json = toProjectView(saved.document);
      return { status: current === undefined ? 201 : 200, json, headers: { etag: saved.etag } };
    },
  }),
  route({
    name: 'projects-get',
    method: 'GET',
    path: 'v1/projects/{p}',
    role: 'viewer',
    summary: 'Read a project with its dataset head, and how many uploads ended in each outcome',
    answers: { 200: projectStatusView },
    async handle(ports, call) {
      const project = await projectOf(ports, call);
      const head = await ports.documents.read('heads', project.document.id, 'head');
      const json = {
        ...toProjectView(project.document),
        head: head?.document.head ? toVersionView(head.document.head) : null,
        counts: await countsOf(ports, project.document.id),
      };
      return { status: 200, json, headers: { etag: project.etag } };
    },
  }),
];
