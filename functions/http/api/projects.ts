/** Projects: settings, and where each stands. */
import * as z from 'zod';
import { patchOf } from '../../../shared/api/merge-patch.ts';
import { page } from '../../../shared/api/views/page.ts';
import {
  projectStatusView,
  projectSummaryView,
  projectView,
  toProjectStatusView,
  toProjectSummary,
  toProjectView,
} from '../../../shared/api/views/project.ts';
import type { Stored } from '../../../shared/ports.ts';
import type { ProjectDocument } from '../../../shared/project/document.ts';
import { patchProject } from '../../../shared/project/patch.ts';
import { putProject } from '../../../shared/project/put.ts';
import { readStatus } from '../../../shared/project/read-status.ts';
import { projectSettings } from '../../../shared/project/settings.ts';
import { type Answer, route } from '../route.ts';
import { listQuery, pageOf } from './listing.ts';
import { readPage } from './pages.ts';

const shown = (status: 200 | 201, { document, etag }: Stored<ProjectDocument>): Answer => ({
  status,
  json: toProjectView(document),
  headers: { etag },
});

export const projectRoutes = [
  route({
    name: 'projects-list',
    method: 'GET',
    path: 'projects',
    role: 'viewer',
    scope: 'any-key',
    summary: 'List the projects that the key is for; one that is asked for by name has its settings',
    query: z.strictObject(listQuery),
    answers: { 200: page(projectSummaryView) },
    async handle(ports, call) {
      const isMine = ({ id }: ProjectDocument): boolean => call.key.project === '*' || call.key.project === id;
      const { value, continuation } = await readPage(
        call.query,
        (batch) => ports.documents.query('projects', { pk: 'projects', ...batch }),
        (documents) => documents.filter(isMine).map(toProjectSummary),
      );
      return pageOf(call, '/projects', call.query, value, continuation);
    },
  }),
  route({
    name: 'projects-put',
    method: 'PUT',
    path: 'projects/{project}',
    role: 'operator',
    summary:
      'Create a project, or replace its settings, where what is left out has its default: a change needs If-Match, repeating what is set does not',
    takesIfMatch: 'optional',
    body: projectSettings,
    headers: ['ETag'],
    answers: { 200: projectView, 201: projectView },
    async handle(ports, { params, body, by, ifMatch, cause }) {
      const { created, stored } = await putProject(ports, { ...params, settings: body, by, seen: ifMatch }, cause);
      return shown(created ? 201 : 200, stored);
    },
  }),
  route({
    name: 'projects-patch',
    method: 'PATCH',
    path: 'projects/{project}',
    role: 'operator',
    summary: 'Change some settings (JSON Merge Patch): what is left out stays, null resets one to its default',
    takesIfMatch: 'optional',
    body: patchOf(projectSettings).meta({ examples: [{ deploy: { mode: 'manual' }, gate: { minimum: null } }] }),
    headers: ['ETag'],
    answers: { 200: projectView },
    async handle(ports, { params, body, by, ifMatch, cause }) {
      return shown(200, await patchProject(ports, { ...params, patch: body, by, seen: ifMatch }, cause));
    },
  }),
  route({
    name: 'projects-get',
    method: 'GET',
    path: 'projects/{project}',
    role: 'viewer',
    summary: 'Read a project with its dataset head, and how many uploads ended in each outcome',
    headers: ['ETag'],
    answers: { 200: projectStatusView },
    async handle(ports, { params }) {
      const status = await readStatus(ports, params.project);
      return { status: 200, json: toProjectStatusView(status), headers: { etag: status.project.etag } };
    },
  }),
];
