/** What operators look at: activity and health. */
import * as z from 'zod';
import { readyView } from '../../../shared/api/views/health.ts';
import { eventView, toEventView } from '../../../shared/api/views/operations.ts';
import { page } from '../../../shared/api/views/page.ts';
import { checkDependencies } from '../../../shared/check-dependencies.ts';
import { findProject } from '../../../shared/project/find.ts';
import { route } from '../route.ts';
import { listQuery, pageOf } from './listing.ts';
import { readPage } from './pages.ts';

export const operationRoutes = [
  route({
    name: 'events-list',
    method: 'GET',
    path: 'projects/{project}/events',
    role: 'viewer',
    summary: 'The activity feed, newest first; `after` is the time of the newest event known',
    query: z.strictObject({ ...listQuery, after: z.iso.datetime().optional() }),
    answers: { 200: page(eventView) },
    async handle(ports, call) {
      const { document: project } = await findProject(ports, call.params.project);
      const { after } = call.query;
      const orderBy = { field: 'at' as const, descending: after === undefined };
      const beyond = after === undefined ? {} : { after };
      const { value, continuation } = await readPage(
        call.query,
        (batch) => ports.documents.query('events', { pk: project.id, orderBy, ...beyond, ...batch }),
        (documents) => documents.map(toEventView),
      );
      return pageOf(
        call,
        `/projects/${project.id}/events`,
        call.query,
        after === undefined ? value : value.reverse(),
        continuation,
      );
    },
  }),
  route({
    name: 'health-live',
    method: 'GET',
    path: 'health/live',
    role: 'open',
    summary: 'The process answers; touches nothing',
    answers: { 200: z.object({ status: z.literal('live') }) },
    handle: () => Promise.resolve({ status: 200, json: { status: 'live' } }),
  }),
  route({
    name: 'health-ready',
    method: 'GET',
    path: 'health/ready',
    role: 'viewer',
    scope: 'any-key',
    summary: 'Every dependency by name',
    answers: { 200: readyView, 503: readyView },
    async handle(ports) {
      const dependencies = await checkDependencies(ports);
      const ok = Object.values(dependencies).every((one) => one.ok);
      return { status: ok ? 200 : 503, json: { status: ok ? 'ready' : 'not-ready', dependencies } };
    },
  }),
];
