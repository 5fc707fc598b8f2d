/** Batches: many pictures that one model is asked about. */
import * as z from 'zod';
import { versionName } from '../../../shared/api/parameters.ts';
import { batchView, batchWithResultsView, toBatchView } from '../../../shared/api/views/batch.ts';
import { page, split } from '../../../shared/api/views/page.ts';
import { beginBatch } from '../../../shared/batch/begin.ts';
import type { BatchDocument } from '../../../shared/batch/document.ts';
import { endBatch } from '../../../shared/batch/end.ts';
import { findBatch } from '../../../shared/batch/find.ts';
import { signResults } from '../../../shared/batch/sign-results.ts';
import type { Stored } from '../../../shared/ports.ts';
import { findProject } from '../../../shared/project/find.ts';
import { type Answer, type HttpPorts, route } from '../route.ts';
import { listQuery, pageOf } from './listing.ts';
import { readPage } from './pages.ts';

const retryAfter = { 'retry-after': '2' };

async function shown(ports: HttpPorts, { document, etag }: Stored<BatchDocument>, status: number): Promise<Answer> {
  const json = { ...toBatchView(document), results: await signResults(ports, document) };
  return { status, json, headers: { etag, ...(document.state === 'scoring' ? retryAfter : {}) } };
}

const asked = z
  .strictObject({
    /** files whose names begin so, below the project's own folder in the container `uploads`; empty: all of them */
    uploads: z.strictObject({ prefix: z.string().max(500) }).optional(),
    version: z.union([versionName, z.number().int().positive()]).optional(),
    /** samples of a version in this split only */
    split: split.optional(),
    /** left out: the model that is live */
    model: z.number().int().positive().optional(),
  })
  .refine(
    ({ uploads, version }) => (uploads === undefined) !== (version === undefined),
    'name either "uploads" with a prefix, or a "version"',
  )
  .refine(({ uploads, split: of }) => uploads === undefined || of === undefined, '"split" is for a version')
  .meta({ examples: [{ version: 'head', split: 'test' }] });

export const batchRoutes = [
  route({
    name: 'batches-post',
    method: 'POST',
    path: 'projects/{project}/batches',
    role: 'operator',
    summary:
      'Score many pictures with one model: uploads whose names begin so, or the samples of a version. Results are files of JSON Lines, and of CSV where what the model answers is a table',
    body: asked,
    headers: ['ETag', 'Operation-Location', 'Retry-After'],
    answers: { 202: batchWithResultsView },
    async handle(ports, call) {
      const { document: project } = await findProject(ports, call.params.project);
      const { version, ...what } = call.body;
      const id = call.idempotencyKey ?? ports.ids.next();
      const named = version === undefined ? undefined : String(version);
      const batch = await beginBatch(ports, project, { id, ...what, version: named, by: call.by }, call.cause);
      const answer = await shown(ports, batch, 202);
      const monitor = `${call.base}/projects/${project.id}/batches/${batch.document.id}`;
      return { ...answer, headers: { ...answer.headers, 'operation-location': monitor } };
    },
  }),
  route({
    name: 'batches-list',
    method: 'GET',
    path: 'projects/{project}/batches',
    role: 'viewer',
    summary: 'Batches, newest first; one that is asked for by id has the addresses of its results',
    query: z.strictObject(listQuery),
    answers: { 200: page(batchView) },
    async handle(ports, call) {
      const { document: project } = await findProject(ports, call.params.project);
      const orderBy = { field: 'createdAt' as const, descending: true };
      const found = await readPage(
        call.query,
        (batch) => ports.documents.query('batches', { pk: project.id, orderBy, ...batch }),
        (documents) => documents.map(toBatchView),
      );
      return pageOf(call, `/projects/${project.id}/batches`, call.query, found.value, found.continuation);
    },
  }),
  route({
    name: 'batches-get',
    method: 'GET',
    path: 'projects/{project}/batches/{batch}',
    role: 'viewer',
    summary:
      'How far a batch is, and once it has succeeded the addresses of its results, which may be read for an hour',
    headers: ['ETag', 'Retry-After'],
    answers: { 200: batchWithResultsView },
    async handle(ports, call) {
      return shown(ports, await findBatch(ports, call.params.project, call.params.batch), 200);
    },
  }),
  route({
    name: 'batches-cancel',
    method: 'POST',
    path: 'projects/{project}/batches/{batch}/cancel',
    role: 'operator',
    summary: 'Stop a batch; one that has ended stays as it is',
    headers: ['ETag', 'Retry-After'],
    answers: { 200: batchWithResultsView },
    async handle(ports, call) {
      const { project, batch } = call.params;
      return shown(ports, await endBatch(ports, project, batch, { state: 'cancelled', by: call.by }, call.cause), 200);
    },
  }),
];
