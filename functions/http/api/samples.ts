/** Samples: browse, bytes, and annotations set by review. */
import * as z from 'zod';
import { Problem } from '../../../shared/api/problem.ts';
import {
  nearDuplicatesView,
  sampleView,
  toNearDuplicateView,
  toSampleView,
} from '../../../shared/api/views/dataset.ts';
import { page } from '../../../shared/api/views/page.ts';
import { className } from '../../../shared/names.ts';
import type { Stored } from '../../../shared/ports.ts';
import { findProject } from '../../../shared/project/find.ts';
import { storedName } from '../../../shared/sample/content.ts';
import type { SampleDocument } from '../../../shared/sample/document.ts';
import { findSample } from '../../../shared/sample/find.ts';
import { annotateSample } from '../../../shared/sample/annotate.ts';
import { givenObject, labelBody } from '../../../shared/task/fields.ts';
import { type TaskKind, taskOf } from '../../../shared/task/task.ts';
import { listNearDuplicates } from '../../../shared/sample/list-near-duplicates.ts';
import { type Answer, route } from '../route.ts';
import { listQuery, pageOf } from './listing.ts';
import { readPage } from './pages.ts';

const shown = ({ document, etag }: Stored<SampleDocument>, kind: TaskKind): Answer => ({
  status: 200,
  json: toSampleView(document, kind),
  headers: { etag },
});

export const sampleRoutes = [
  route({
    name: 'samples-list',
    method: 'GET',
    path: 'projects/{project}/samples',
    role: 'viewer',
    summary: 'Browse samples, newest first; `setAside=true`: those that nobody could read, with the reason',
    query: z.strictObject({
      ...listQuery,
      label: className.optional(),
      unlabelled: z.enum(['true']).optional(),
      setAside: z.enum(['true']).optional(),
    }),
    answers: { 200: page(sampleView) },
    async handle(ports, call) {
      const { document: project } = await findProject(ports, call.params.project);
      const { label, unlabelled, setAside } = call.query;
      const kind = taskOf(project.settings);
      const wanted = {
        ...(unlabelled !== undefined ? { source: null } : label === undefined ? {} : filterOf(kind, label)),
        ...(setAside === undefined ? {} : { 'setAside.code': 'unreadable' }),
      };
      const equals = { project: project.id, ...wanted };
      const orderBy = { field: 'createdAt' as const, descending: true };
      const found = await readPage(
        call.query,
        (batch) => ports.documents.query('samples', { equals, orderBy, ...batch }),
        (documents) => documents.map((one) => toSampleView(one, kind)),
      );
      return pageOf(call, `/projects/${project.id}/samples`, call.query, found.value, found.continuation);
    },
  }),
  route({
    name: 'samples-get',
    method: 'GET',
    path: 'projects/{project}/samples/{sample}',
    role: 'viewer',
    summary: 'Read one sample',
    headers: ['ETag'],
    answers: { 200: sampleView },
    async handle(ports, call) {
      const { document: project } = await findProject(ports, call.params.project);
      return shown(await findSample(ports, project.id, call.params.sample), taskOf(project.settings));
    },
  }),
  route({
    name: 'near-duplicates-list',
    method: 'GET',
    path: 'projects/{project}/near-duplicates',
    role: 'viewer',
    summary:
      'Pairs of samples that look the same and have other pixels, among the newest 20,000; those in two splits first',
    query: z.strictObject({ limit: listQuery.limit }),
    answers: { 200: nearDuplicatesView },
    async handle(ports, call) {
      const { document: project } = await findProject(ports, call.params.project);
      const { pairs, compared, complete } = await listNearDuplicates(ports, project);
      const kind = taskOf(project.settings);
      const value = pairs.slice(0, call.query.limit).map((pair) => toNearDuplicateView(pair, kind));
      return { status: 200, json: { value, found: pairs.length, compared, complete } };
    },
  }),
  route({
    name: 'samples-content',
    method: 'GET',
    path: 'projects/{project}/samples/{sample}/content',
    role: 'viewer',
    summary: 'The bytes of a sample',
    headers: ['ETag'],
    answers: { 200: 'image' },
    async handle(ports, call) {
      const { document: sample } = await findSample(ports, call.params.project, call.params.sample);
      const stored = await ports.blobs.stream('datasets', storedName(sample.project, sample.id));
      if (stored === undefined)
        throw new Problem(
          404,
          'missing-content',
          'The bytes of this sample are not in the store: somebody deleted them. Restore the blob, or upload the same file again.',
        );
      return {
        status: 200,
        stream: stored.body,
        contentType: sample.mediaType,
        headers: { etag: `"${sample.sha256}"` },
      };
    },
  }),
  route({
    name: 'samples-annotation',
    method: 'PUT',
    path: 'projects/{project}/samples/{sample}/annotation',
    role: 'labeler',
    summary: "Set an annotation by review, in the form of the project's task kind; it becomes part of the next version",
    takesIfMatch: 'optional',
    body: givenObject.meta({ examples: [{ label: '7' }] }),
    headers: ['ETag'],
    answers: { 200: sampleView },
    async handle(ports, { params, body, ifMatch, cause }) {
      const review = { ...params, annotation: body, seen: ifMatch, target: 'annotation' };
      const { sample, kind } = await annotateSample(ports, review, cause);
      return shown(sample, kind);
    },
  }),
  route({
    name: 'samples-label',
    method: 'PUT',
    path: 'projects/{project}/samples/{sample}/label',
    role: 'labeler',
    summary: 'Set a label by review; it becomes part of the next version',
    takesIfMatch: 'optional',
    body: labelBody.meta({ examples: [{ label: '7' }] }),
    headers: ['ETag'],
    answers: { 200: sampleView },
    async handle(ports, { params, body, ifMatch, cause }) {
      const review = { ...params, annotation: body, seen: ifMatch, target: 'label' };
      const { sample, kind } = await annotateSample(ports, review, cause);
      return shown(sample, kind);
    },
  }),
];

/** The condition under which a sample has a label. */
function filterOf(kind: TaskKind, label: string) {
  const filter = kind.filter(label);
  if (filter !== undefined) return filter;
  const detail = `Samples of the task kind ${kind.name} have no labels to look for. Leave out "label".`;
  throw new Problem(400, 'invalid-query', detail, { target: 'label' });
}
