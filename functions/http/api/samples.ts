/** Samples: browse, bytes, and labels set by review. */
import * as z from 'zod';
import { Problem } from '../../../shared/api/problem.ts';
import {
  nearDuplicatesView,
  sampleView,
  toNearDuplicateView,
  toSampleView,
} from '../../../shared/api/views/dataset.ts';
import { page } from '../../../shared/api/views/page.ts';
import { findNearDuplicates, type Looks } from '../../../shared/sample/near-duplicates.ts';
import { stageSample } from '../../../shared/dataset/stage.ts';
import { storedName } from '../../../shared/sample/content.ts';
import type { SampleDocument } from '../../../shared/sample/document.ts';
import { listAll } from '../../../shared/list-all.ts';
import { className } from '../../../shared/names.ts';
import type { Stored } from '../../../shared/ports.ts';
import { samplePartition } from '../../../shared/sample/partition.ts';
import { readPage } from './pages.ts';
import { type HttpPorts, route } from '../route.ts';
import { listQuery, pageOf } from './listing.ts';
import { changed } from './preconditions.ts';
import { projectOf } from './find-project.ts';

/** about 1 KB each: what one call may read and hold */
const maxCompared = 20_000;

async function sampleOf(
  ports: HttpPorts,
  call: { params: { project: string; sample: string } },
): Promise<Stored<SampleDocument>> {
  const { project, sample: id } = call.params;
  const found = await ports.documents.read('samples', samplePartition(project, id), id);
  if (found !== undefined) return found;
  throw new Problem(
    404,
    'unknown-sample',
    `There is no sample ${id} in project ${project}. GET /api/v1/projects/${project}/samples lists them.`,
    { target: 'sample' },
  );
}

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
      const { document: project } = await projectOf(ports, call);
      const { label, unlabelled, setAside } = call.query;
      const wanted = {
        ...(unlabelled !== undefined ? { label: null } : label === undefined ? {} : { label }),
        ...(setAside === undefined ? {} : { 'setAside.code': 'unreadable' }),
      };
      const equals = { project: project.id, ...wanted };
      const orderBy = { field: 'createdAt' as const, descending: true };
      const found = await readPage(
        call.query,
        (look) => ports.documents.query('samples', { equals, orderBy, ...look }),
        (documents) => documents.map(toSampleView),
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
      const found = await sampleOf(ports, call);
      return { status: 200, json: toSampleView(found.document), headers: { etag: found.etag } };
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
      const { document: project } = await projectOf(ports, call);
      const query = {
        equals: { project: project.id },
        orderBy: { field: 'createdAt' as const, descending: true },
        limit: 1000,
      };
      const looks: Looks[] = [];
      let read = 0;
      for await (const { document } of listAll(ports.documents, 'samples', query, maxCompared + 1)) {
        const { id, label, split, perceptualHash } = document;
        if (++read <= maxCompared && perceptualHash !== undefined) looks.push({ id, label, split, perceptualHash });
      }
      const { pairs, complete } = findNearDuplicates(looks);
      const value = pairs.slice(0, call.query.limit).map(toNearDuplicateView);
      const json = { value, found: pairs.length, compared: looks.length, complete: complete && read <= maxCompared };
      return { status: 200, json };
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
      const { document: sample } = await sampleOf(ports, call);
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
    name: 'samples-label',
    method: 'PUT',
    path: 'projects/{project}/samples/{sample}/label',
    role: 'labeler',
    summary: 'Set a label by review; it becomes part of the next version',
    takesIfMatch: 'optional',
    body: z.strictObject({ label: className }).meta({ examples: [{ label: '7' }] }),
    headers: ['ETag'],
    answers: { 200: sampleView },
    async handle(ports, call) {
      const { document: project } = await projectOf(ports, call);
      const found = await sampleOf(ports, call);
      const { label } = call.body;
      const { classes } = project.settings;
      if (classes.length > 0 && !classes.includes(label)) {
        throw new Problem(
          400,
          'unknown-class',
          `"${label}" is not a class of this project; its classes are ${classes.slice(0, 20).join(', ')}${classes.length > 20 ? ', ...' : ''}.`,
          { target: 'label' },
        );
      }
      // labelled so already, maybe by this very request when it could not stage: its etag is an older one
      const same = found.document.label === label && found.document.labelSource === 'review';
      if (!same && call.ifMatch !== undefined && call.ifMatch !== found.etag) throw changed();
      // whoever labels a sample that was set aside has looked at it: it is tried again
      const { setAside: _, ...sample } = found.document;
      const next: SampleDocument = same
        ? found.document
        : {
            ...sample,
            label,
            labelSource: 'review',
            labelRevision: found.document.labelRevision + 1,
            conflicts: [],
          };
      const saved = same ? found : await setLabel(ports, next, found.etag);
      await stageSample(ports, saved.document, project.settings, call.cause);
      return { status: 200, json: toSampleView(saved.document), headers: { etag: saved.etag } };
    },
  }),
];

/** Replaces a sample by one with another label; 412 when somebody else changed it first. */
async function setLabel(ports: HttpPorts, next: SampleDocument, etag: string): Promise<Stored<SampleDocument>> {
  const saved = await ports.documents.replace('samples', next, etag);
  if (saved !== 'changed') return saved;
  // the first answer may have been lost on the way, and what changed the sample is this very call: it has to be staged
  const now = await ports.documents.read('samples', next.pk, next.id);
  const { label, labelSource, labelRevision } = next;
  const ours =
    now?.document.label === label &&
    now.document.labelSource === labelSource &&
    now.document.labelRevision === labelRevision;
  if (now === undefined || !ours) throw changed();
  return now;
}
