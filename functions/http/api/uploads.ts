/** Upload addresses, and what became of each upload. */
import * as z from 'zod';
import { Problem } from '../../../shared/api/problem.ts';
import { toUploadView, uploadView } from '../../../shared/api/views/dataset.ts';
import { page } from '../../../shared/api/views/page.ts';
import { uploadUrlsView } from '../../../shared/api/views/upload-urls.ts';
import { uploadStates } from '../../../shared/api/views/project.ts';
import { className, unassignedProject, unprintable } from '../../../shared/names.ts';
import { labelInName, uploadPartition } from '../../../shared/upload/name.ts';
import { samplePartition } from '../../../shared/sample/partition.ts';
import { readPage } from './pages.ts';
import { route } from '../route.ts';
import { listQuery, pageOf } from './listing.ts';
import { projectOf } from './find-project.ts';

const urlLifetimeMs = 3_600_000;
const fileName = z
  .string()
  .min(1)
  .max(200)
  .refine(
    (s) => !unprintable.test(s) && !/[/\\]/.test(s) && s !== '.' && s !== '..',
    'a file name has no slashes and no control characters',
  );

export const uploadRoutes = [
  route({
    name: 'upload-urls-post',
    method: 'POST',
    path: 'projects/{project}/upload-urls',
    role: 'labeler',
    summary: 'Get a write-once address per file; the app then PUTs to storage itself',
    body: z
      .strictObject({
        files: z
          .array(
            z.strictObject({
              name: fileName,
              label: className.optional(),
              contentType: z.enum(['image/png', 'image/jpeg', 'image/webp', 'image/tiff']),
            }),
          )
          .min(1)
          .max(1000),
      })
      .meta({ examples: [{ files: [{ name: 'scan-1.png', label: '7', contentType: 'image/png' }] }] }),
    answers: {
      200: uploadUrlsView,
    },
    async handle(ports, call) {
      const { document: project } = await projectOf(ports, call);
      const expires = new Date(ports.clock.now().getTime() + urlLifetimeMs);
      const value = await Promise.all(
        call.body.files.map(async ({ name, label, contentType }) => {
          const blob = label === undefined ? `${project.id}/${name}` : `${project.id}/${labelInName(label)}/${name}`;
          const url = await ports.blobs.sign('uploads', blob, 'create', expires);
          const headers = { 'x-ms-blob-type': 'BlockBlob', 'content-type': contentType };
          return { name, blob, url, headers, expiresAt: expires.toISOString() };
        }),
      );
      return { status: 200, json: { value } };
    },
  }),
  route({
    name: 'uploads-list',
    method: 'GET',
    path: 'projects/{project}/uploads',
    role: 'viewer',
    summary: 'What became of uploads, newest first',
    query: z.strictObject({
      ...listQuery,
      outcome: z.enum(uploadStates).optional(),
      blob: z.string().max(1024).optional(),
    }),
    answers: { 200: page(uploadView) },
    async handle(ports, call) {
      const project = call.params.project;
      if (project !== unassignedProject) await projectOf(ports, call);
      const { outcome, blob } = call.query;
      const equals = {
        project,
        ...(outcome === undefined ? {} : { status: outcome }),
        ...(blob === undefined ? {} : { blob }),
      };
      const orderBy = { field: 'receivedAt' as const, descending: true };
      const found = await readPage(
        call.query,
        (look) => ports.documents.query('uploads', { equals, orderBy, ...look }),
        (documents) => documents.map(toUploadView),
      );
      return pageOf(call, `/projects/${project}/uploads`, call.query, found.value, found.continuation);
    },
  }),
  route({
    name: 'uploads-get',
    method: 'GET',
    path: 'projects/{project}/uploads/{upload}',
    role: 'viewer',
    summary: 'What became of one upload',
    headers: ['ETag'],
    answers: { 200: uploadView },
    async handle(ports, call) {
      const { project, upload: id } = call.params;
      // an upload without a project lies where its name says
      const found =
        project === unassignedProject
          ? (await ports.documents.query('uploads', { equals: { project, id }, limit: 1 })).items[0]
          : await ports.documents.read('uploads', uploadPartition(project, id), id);
      if (found?.document.project !== project)
        throw new Problem(404, 'unknown-upload', `There is no upload ${id} in project ${project}.`, {
          target: 'upload',
        });
      const { sample } = found.document;
      const stored =
        sample === null ? undefined : await ports.documents.read('samples', samplePartition(project, sample), sample);
      const json = { ...toUploadView(found.document), firstVersion: stored?.document.firstVersion ?? null };
      return { status: 200, json, headers: { etag: found.etag } };
    },
  }),
];
