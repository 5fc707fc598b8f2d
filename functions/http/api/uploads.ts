/** Upload addresses, and what became of each upload. */
import * as z from 'zod';
import { toUploadView, uploadView } from '../../../shared/api/views/dataset.ts';
import { page } from '../../../shared/api/views/page.ts';
import { uploadUrlsView } from '../../../shared/api/views/upload-urls.ts';
import { unassignedProject, unprintable } from '../../../shared/names.ts';
import type { Ports } from '../../../shared/ports.ts';
import { findProject } from '../../../shared/project/find.ts';
import { givenFields, givenObject } from '../../../shared/task/fields.ts';
import { defaultTask, type TaskKind, taskOf } from '../../../shared/task/task.ts';
import { uploadStates } from '../../../shared/upload/document.ts';
import { findUpload } from '../../../shared/upload/find.ts';
import { signAddresses } from '../../../shared/upload/sign-addresses.ts';
import { route } from '../route.ts';
import { listQuery, pageOf } from './listing.ts';
import { readPage } from './pages.ts';

const fileName = z
  .string()
  .min(1)
  .max(200)
  .refine(
    (s) => !unprintable.test(s) && !/[/\\]/.test(s) && s !== '.' && s !== '..',
    'a file name has no slashes and no control characters',
  );

/** The task kind of a project's uploads; those without a project have no annotation of any kind. */
const kindOf = async (ports: Pick<Ports, 'documents'>, project: string): Promise<TaskKind> =>
  taskOf(project === unassignedProject ? { task: defaultTask } : (await findProject(ports, project)).document.settings);

export const uploadRoutes = [
  route({
    name: 'upload-urls-post',
    method: 'POST',
    path: 'projects/{project}/upload-urls',
    role: 'labeler',
    summary:
      'Get a write-once address per file; the app then PUTs to storage itself. Where the task kind has annotations in files beside pictures (detection), `scene.jpg.json` of type application/json is what `scene.jpg` shows',
    body: z
      .strictObject({
        files: z
          .array(
            z.strictObject({
              name: fileName,
              annotation: givenObject.optional(),
              ...givenFields,
              contentType: z.enum(['image/png', 'image/jpeg', 'image/webp', 'image/tiff', 'application/json']),
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
      const { document: project } = await findProject(ports, call.params.project);
      const value = await signAddresses(ports, project, call.body.files);
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
      const kind = await kindOf(ports, project);
      const { outcome, blob } = call.query;
      const equals = {
        project,
        ...(outcome === undefined ? {} : { status: outcome }),
        ...(blob === undefined ? {} : { blob }),
      };
      const orderBy = { field: 'receivedAt' as const, descending: true };
      const found = await readPage(
        call.query,
        (batch) => ports.documents.query('uploads', { equals, orderBy, ...batch }),
        (documents) => documents.map((one) => toUploadView(one, kind)),
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
      const { upload, firstVersion } = await findUpload(ports, call.params.project, call.params.upload);
      const json = { ...toUploadView(upload.document, await kindOf(ports, call.params.project)), firstVersion };
      return { status: 200, json, headers: { etag: upload.etag } };
    },
  }),
];
