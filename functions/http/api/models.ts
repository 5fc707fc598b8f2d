/** The model registry: versions, artifacts, the manual gate, lineage. */
import * as z from 'zod';
import { versionName } from '../../../shared/api/parameters.ts';
import {
  lineageView,
  modelSummaryView,
  modelView,
  receivedView,
  toLineageView,
  toModelSummary,
  toModelView,
} from '../../../shared/api/views/model.ts';
import { page } from '../../../shared/api/views/page.ts';
import type { EndpointDocument } from '../../../shared/endpoint/document.ts';
import { modelBlob } from '../../../shared/model/artifact.ts';
import { decideModel, type Decision } from '../../../shared/model/decide.ts';
import { exportModel, missingArtifact } from '../../../shared/model/export/export.ts';
import { findModel } from '../../../shared/model/find.ts';
import { traceLineage } from '../../../shared/model/trace-lineage.ts';
import { uploadModel } from '../../../shared/model/upload.ts';
import { className, maxClasses } from '../../../shared/names.ts';
import { findProject } from '../../../shared/project/find.ts';
import { type Answer, type Call, type HttpPorts, route } from '../route.ts';
import { imageInput } from '../../../shared/project/settings.ts';
import { listQuery, pageOf } from './listing.ts';
import { readPage } from './pages.ts';

/** of one value in the query; addresses have 4 KB in Azure */
const maxJsonLength = 3000;
const hasFewMetrics = (metrics: object): boolean => Object.keys(metrics).length <= 20;

async function endpointOf({ documents }: HttpPorts, project: string): Promise<EndpointDocument | undefined> {
  return (await documents.read('endpoints', project, 'endpoint'))?.document;
}

async function decided(
  ports: HttpPorts,
  { params, by, ifMatch, cause }: Call<unknown, unknown, 'project' | 'number'>,
  state: Decision['state'],
): Promise<Answer> {
  const { model, endpoint } = await decideModel(ports, { ...params, state, by, seen: ifMatch }, cause);
  return { status: 200, json: toModelView(model.document, endpoint), headers: { etag: model.etag } };
}

/** A value in the query that is JSON. */
const jsonText = <T extends z.ZodType>(shape: T) =>
  z
    .string()
    .max(maxJsonLength)
    .transform((text, context): unknown => {
      try {
        return JSON.parse(text) as unknown;
      } catch {
        context.addIssue({ code: 'custom', message: 'it is no JSON' });
        return z.NEVER;
      }
    })
    .pipe(shape);

const uploadQuery = z.strictObject({
  version: versionName.optional(),
  classes: jsonText(z.array(className).min(1).max(maxClasses))
    .optional()
    .describe(
      'the classes in the order of the outputs, as a JSON array, where that is not the order of the project (its setting classes, or else by name)',
    ),
  image: jsonText(imageInput)
    .optional()
    .describe('what the model takes in, as the setting image has it, where that is not what models of the project do'),
  source: z.string().min(1).max(500).optional().describe('where the model was made: an address, a repository, a name'),
  notes: z.string().min(1).max(500).optional(),
  metrics: jsonText(z.record(z.string().min(1).max(60), z.number()).refine(hasFewMetrics, '20 metrics at most'))
    .optional()
    .describe('what was measured elsewhere, as a JSON object of numbers; it is kept, and decides nothing'),
});

export const modelRoutes = [
  route({
    name: 'models-list',
    method: 'GET',
    path: 'projects/{project}/models',
    role: 'viewer',
    summary:
      'Model versions, newest first; one that is asked for by number has its classes, its metrics and the sentences of its verdict',
    query: z.strictObject(listQuery),
    answers: { 200: page(modelSummaryView) },
    async handle(ports, call) {
      const { document: project } = await findProject(ports, call.params.project);
      const endpoint = await endpointOf(ports, project.id);
      const orderBy = { field: 'number' as const, descending: true };
      const found = await readPage(
        call.query,
        (batch) => ports.documents.query('models', { pk: project.id, orderBy, ...batch }),
        (documents) => documents.map((document) => toModelSummary(document, endpoint)),
      );
      return pageOf(call, `/projects/${project.id}/models`, call.query, found.value, found.continuation);
    },
  }),
  route({
    name: 'models-post',
    method: 'POST',
    path: 'projects/{project}/models',
    role: 'operator',
    summary:
      'Bring a model that was trained elsewhere: its ONNX bytes are the body, what is said of it stands in the query. It is judged on the test samples of a dataset version and deployed as a trained one is; the training that is answered tells how it goes',
    takes: 'model',
    query: uploadQuery,
    headers: ['Operation-Location', 'Retry-After'],
    answers: { 202: receivedView },
    async handle(ports, call) {
      const { document: project } = await findProject(ports, call.params.project);
      const { version, classes, image, source = null, notes = null, metrics = {} } = call.query;
      const id = call.idempotencyKey ?? ports.ids.next();
      const brought = { id, version, classes, image, source, notes, metrics, by: call.by };
      const { run, digest, sizeBytes } = await uploadModel(ports, project, brought, call.stream, call.cause);
      const monitor = `${call.base}/projects/${project.id}/trainings/${run.id}`;
      const json = { id: run.id, digest, sizeBytes, datasetVersion: run.version };
      return { status: 202, json, headers: { 'operation-location': monitor, 'retry-after': '2' } };
    },
  }),
  route({
    name: 'models-get',
    method: 'GET',
    path: 'projects/{project}/models/{number}',
    role: 'viewer',
    summary: 'One model version with its metrics and verdict',
    headers: ['ETag'],
    answers: { 200: modelView },
    async handle(ports, call) {
      const { project, number } = call.params;
      const found = await findModel(ports, project, number);
      return {
        status: 200,
        json: toModelView(found.document, await endpointOf(ports, project)),
        headers: { etag: found.etag },
      };
    },
  }),
  route({
    name: 'models-artifact',
    method: 'GET',
    path: 'projects/{project}/models/{number}/artifact',
    role: 'viewer',
    summary: 'The ONNX bytes',
    headers: ['ETag'],
    answers: { 200: 'onnx' },
    async handle(ports, call) {
      const { document: model } = await findModel(ports, call.params.project, call.params.number);
      const stored = await ports.blobs.stream('models', modelBlob(model.pk, model.digest));
      if (stored === undefined) throw missingArtifact();
      return {
        status: 200,
        stream: stored.body,
        contentType: 'application/octet-stream',
        headers: { etag: `"${model.digest}"` },
      };
    },
  }),
  route({
    name: 'models-export',
    method: 'GET',
    path: 'projects/{project}/models/{number}/export',
    role: 'viewer',
    summary:
      'A ZIP archive with the model and what it takes to serve it elsewhere: labels, preprocessing, a golden input with its output, and examples for Python, .NET, JavaScript and curl',
    answers: { 200: 'zip' },
    async handle(ports, call) {
      const { document: model } = await findModel(ports, call.params.project, call.params.number);
      const name = `${model.pk}-model-${model.number}.zip`;
      return {
        status: 200,
        stream: await exportModel(ports, model),
        contentType: 'application/zip',
        headers: { 'content-disposition': `attachment; filename="${name}"` },
      };
    },
  }),
  route({
    name: 'models-lineage',
    method: 'GET',
    path: 'projects/{project}/models/{number}/lineage',
    role: 'viewer',
    summary: 'Everything behind a model: training, seed, dataset version, scans and their labels',
    answers: { 200: lineageView },
    async handle(ports, call) {
      const { document: model } = await findModel(ports, call.params.project, call.params.number);
      return { status: 200, json: toLineageView(await traceLineage(ports, model), call.base) };
    },
  }),
  route({
    name: 'models-approve',
    method: 'POST',
    path: 'projects/{project}/models/{number}/approve',
    role: 'operator',
    summary: 'Approve a model version (If-Match); deployed at once when the project deploys automatically',
    takesIfMatch: 'required',
    headers: ['ETag'],
    answers: { 200: modelView },
    handle: (ports, call) => decided(ports, call, 'approved'),
  }),
  route({
    name: 'models-reject',
    method: 'POST',
    path: 'projects/{project}/models/{number}/reject',
    role: 'operator',
    summary: 'Reject a model version (If-Match)',
    takesIfMatch: 'required',
    headers: ['ETag'],
    answers: { 200: modelView },
    handle: (ports, call) => decided(ports, call, 'rejected'),
  }),
];
