/** The model registry: versions, artifacts, the manual gate, lineage. */
import * as z from 'zod';
import { Problem } from '../../../shared/api/problem.ts';
import { type entryView, toEntryView, toVersionSummary } from '../../../shared/api/views/dataset.ts';
import {
  lineageView,
  modelSummaryView,
  modelView,
  toModelSummary,
  toModelView,
} from '../../../shared/api/views/model.ts';
import { page } from '../../../shared/api/views/page.ts';
import { toTrainingSummary } from '../../../shared/api/views/training.ts';
import { treeStore } from '../../../shared/dataset/store.ts';
import { entries } from '../../../shared/dataset/entries.ts';
import type { EndpointDocument } from '../../../shared/endpoint/document.ts';
import type { ModelDocument } from '../../../shared/model/document.ts';
import type { Outgoing } from '../../../shared/delivery/document.ts';
import { modelBlob } from '../../../shared/model/artifact.ts';
import { digestOf } from '../../../shared/digest.ts';
import { outboxOf, sendOutbox } from '../../../shared/delivery/send-outbox.ts';
import type { Stored } from '../../../shared/ports.ts';
import { approval } from '../../../shared/model/approve.ts';
import { modelId } from '../../../shared/model/register.ts';
import { findVersion } from '../../../shared/dataset/find-version.ts';
import { taskOf } from '../../../shared/task/task.ts';
import { readPage } from './pages.ts';
import { type Answer, type Call, type HttpPorts, route } from '../route.ts';
import { listQuery, pageOf } from './listing.ts';
import { changed, requireMatch } from './preconditions.ts';
import { projectOf } from './find-project.ts';

const lineageSamples = 100;

/** Reads a model version of a project. */
export async function modelOf(ports: HttpPorts, project: string, n: string): Promise<Stored<ModelDocument>> {
  const number = /^\d{1,8}$/.test(n) ? Number(n) : 0;
  const found = number === 0 ? undefined : await ports.documents.read('models', project, modelId(number));
  if (found !== undefined) return found;
  throw new Problem(
    404,
    'unknown-model',
    `There is no model version ${n} in project ${project}. GET /api/v1/projects/${project}/models lists them.`,
    { target: 'number' },
  );
}

async function endpointOf(ports: HttpPorts, project: string): Promise<EndpointDocument | undefined> {
  return (await ports.documents.read('endpoints', project, 'endpoint'))?.document;
}

/** Everything behind a model: run, parameters, version, and the scans. */
export async function lineageOf(
  ports: HttpPorts,
  base: string,
  model: ModelDocument,
): Promise<z.infer<typeof lineageView>> {
  const project = model.pk;
  const [{ document }, run, version, endpoint] = await Promise.all([
    projectOf(ports, { params: { project } }),
    ports.documents.read('runs', project, model.run),
    findVersion(ports, project, model.version.id),
    endpointOf(ports, project),
  ]);
  const samples: z.infer<typeof entryView>[] = [];
  for await (const { key, record } of entries(treeStore(ports.blobs, project), version.root, {
    limit: lineageSamples,
  })) {
    samples.push(toEntryView(key, record, taskOf(document.settings)));
  }
  return {
    model: { ...toModelSummary(model, endpoint), lineage: model.lineage },
    training: run === undefined ? null : toTrainingSummary(run.document),
    datasetVersion: toVersionSummary(version),
    samples,
    samplesLink: `${base}/projects/${project}/versions/${version.version}/samples`,
  };
}

type Decision = 'approved' | 'rejected';

async function decide(
  ports: HttpPorts,
  call: Call<unknown, unknown, 'project' | 'number'>,
  decision: Decision,
): Promise<Answer> {
  const { document: project } = await projectOf(ports, call);
  const stored = await modelOf(ports, project.id, call.params.number);
  const model = stored.document;
  const endpoint = await endpointOf(ports, project.id);
  // decided already, maybe by this very request when its answer did not arrive: its etag is an older one
  requireMatch(call, model.state === decision ? (call.ifMatch ?? '') : stored.etag);
  if (model.state === decision) {
    await sendOutbox(ports, 'models', stored);
    return { status: 200, json: toModelView(model, endpoint), headers: { etag: stored.etag } };
  }
  if (
    decision === 'rejected' &&
    (endpoint?.production?.model === model.number || endpoint?.canary?.model === model.number)
  ) {
    throw new Problem(
      409,
      'model-is-serving',
      `Model ${model.number} is behind the endpoint. Roll back or deploy another one first.`,
    );
  }
  const at = ports.clock.now().toISOString();
  const text = `${call.by} ${decision} model ${model.number}.`;
  const id = `e${digestOf(31, project.id, 'model', String(model.number), decision, at)}`;
  const event = {
    id,
    pk: project.id,
    type: `model.${decision}`,
    subject: `models/${model.number}`,
    text,
    at,
    cause: call.cause.id,
    by: call.by,
  };
  const deploys = decision === 'approved' && project.settings.deploy.mode === 'automatic';
  const outbox: Outgoing[] = [
    ...outboxOf(model),
    { to: 'feed', event },
    ...(deploys ? [approval(project.id, model.number, `o-${digestOf(24, model.digest, at)}`, call.cause)] : []),
  ];
  const saved = await ports.documents.replace(
    'models',
    { ...model, state: decision, decidedBy: call.by, outbox },
    stored.etag,
  );
  if (saved === 'changed') throw changed();
  await sendOutbox(ports, 'models', saved);
  const after = await modelOf(ports, project.id, String(model.number));
  return { status: 200, json: toModelView(after.document, endpoint), headers: { etag: after.etag } };
}

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
      const { document: project } = await projectOf(ports, call);
      const endpoint = await endpointOf(ports, project.id);
      const orderBy = { field: 'number' as const, descending: true };
      const found = await readPage(
        call.query,
        (look) => ports.documents.query('models', { pk: project.id, orderBy, ...look }),
        (documents) => documents.map((document) => toModelSummary(document, endpoint)),
      );
      return pageOf(call, `/projects/${project.id}/models`, call.query, found.value, found.continuation);
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
      const found = await modelOf(ports, project, number);
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
      const { document: model } = await modelOf(ports, call.params.project, call.params.number);
      const stored = await ports.blobs.stream('models', modelBlob(model.pk, model.digest));
      if (stored === undefined)
        throw new Problem(
          404,
          'missing-artifact',
          'The artifact of this model is not in the store: somebody deleted it. Restore the blob, or train again with the same version and seed, which gives the same bytes.',
        );
      return {
        status: 200,
        stream: stored.body,
        contentType: 'application/octet-stream',
        headers: { etag: `"${model.digest}"` },
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
      const { document: model } = await modelOf(ports, call.params.project, call.params.number);
      return { status: 200, json: await lineageOf(ports, call.base, model) };
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
    handle: (ports, call) => decide(ports, call, 'approved'),
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
    handle: (ports, call) => decide(ports, call, 'rejected'),
  }),
];
