/** The endpoint: what serves, deploying, rolling back, scoring. */
import * as z from 'zod';
import { Problem } from '../../../shared/api/problem.ts';
import {
  endpointView,
  predictionView,
  scoreView,
  toScoreView,
  toEndpointView,
  toPredictionView,
} from '../../../shared/api/views/endpoint.ts';
import { toLineageView } from '../../../shared/api/views/model.ts';
import { newEndpoint } from '../../../shared/endpoint/endpoint.ts';
import { requestDeployment } from '../../../shared/endpoint/request-deployment.ts';
import { requestRollback } from '../../../shared/endpoint/request-rollback.ts';
import { findModel } from '../../../shared/model/find.ts';
import { traceLineage } from '../../../shared/model/trace-lineage.ts';
import { findPrediction } from '../../../shared/prediction/find.ts';
import { findProject } from '../../../shared/project/find.ts';
import { route } from '../route.ts';

export const endpointRoutes = [
  route({
    name: 'endpoint-get',
    method: 'GET',
    path: 'projects/{project}/endpoint',
    role: 'viewer',
    summary: 'Champion, canary and serving history',
    headers: ['ETag'],
    answers: { 200: endpointView },
    async handle(ports, call) {
      const { document: project } = await findProject(ports, call.params.project);
      const found = await ports.documents.read('endpoints', project.id, 'endpoint');
      if (found === undefined)
        return { status: 200, json: toEndpointView({ id: 'endpoint', pk: project.id, ...newEndpoint }) };
      return { status: 200, json: toEndpointView(found.document), headers: { etag: found.etag } };
    },
  }),
  route({
    name: 'endpoint-deploy',
    method: 'POST',
    path: 'projects/{project}/endpoint/deploy',
    role: 'operator',
    summary:
      'Put an approved model version behind the endpoint, after it was loaded and smoke-scored; with If-Match the model on trial goes live at once, and the live one ends the trial',
    takesIfMatch: 'optional',
    body: z.strictObject({ model: z.number().int().positive() }).meta({ examples: [{ model: 2 }] }),
    headers: ['Operation-Location', 'Retry-After'],
    answers: { 202: z.object({ deployment: z.string() }) },
    async handle(ports, call) {
      const { params, body, ifMatch, idempotencyKey, cause, base } = call;
      const asked = { project: params.project, model: body.model, seen: ifMatch, idempotencyKey };
      const deployment = await requestDeployment(ports, asked, cause);
      return {
        status: 202,
        json: { deployment },
        headers: { 'operation-location': `${base}/projects/${params.project}/endpoint`, 'retry-after': '1' },
      };
    },
  }),
  route({
    name: 'endpoint-rollback',
    method: 'POST',
    path: 'projects/{project}/endpoint/rollback',
    role: 'operator',
    summary:
      'Return to the model before in one step (If-Match), again to the one before that, never to one that was rolled back or rejected; every instance follows within two seconds',
    takesIfMatch: 'required',
    body: z
      .strictObject({ reason: z.string().min(1).max(500).default('requested') })
      .prefault({})
      .meta({ examples: [{ reason: 'confuses 4 and 9' }] }),
    headers: ['ETag'],
    answers: { 200: endpointView },
    async handle(ports, { params, body, by, ifMatch, idempotencyKey, cause }) {
      const asked = { ...params, ...body, by, seen: ifMatch, idempotencyKey };
      const { document, etag } = await requestRollback(ports, asked, cause);
      return { status: 200, json: toEndpointView(document), headers: { etag } };
    },
  }),
  route({
    name: 'score-post',
    method: 'POST',
    path: 'projects/{project}/score',
    role: 'viewer',
    summary:
      'Score one image; `?model=n` pins a model version, `?render=png` answers the picture with what was found drawn on it, where the task kind finds things in places (400 elsewhere). 422 where the model has no answer (not-a-number): `predictionId` names the record',
    takes: 'image',
    query: z.strictObject({
      model: z.coerce.number().int().positive().optional(),
      render: z
        .literal('png')
        .optional()
        .describe('Answers a PNG, upright and 480 to 1,280 pixels on its longer side, instead of JSON'),
    }),
    headers: ['Prediction-Id'],
    answers: { 200: scoreView },
    renders: 'png',
    async handle(ports, call) {
      const { project } = call.params;
      if (call.bytes.length === 0)
        throw new Problem(400, 'bad-image', 'The body is empty. Send the bytes of one PNG, JPEG or WebP image.');
      const { model: pin, render } = call.query;
      const options = { owner: call.key.id, pin, draw: render === 'png', traceparent: call.cause.traceparent };
      const answer = await ports.score(project, { bytes: call.bytes, contentType: call.contentType }, options);
      const headers = { 'prediction-id': answer.predictionId };
      if (answer.drawn === undefined) return { status: 200, json: toScoreView(answer), headers };
      return { status: 200, bytes: answer.drawn, contentType: 'image/png', headers };
    },
  }),
  route({
    name: 'predictions-get',
    method: 'GET',
    path: 'projects/{project}/predictions/{prediction}',
    role: 'viewer',
    summary: 'One prediction and everything behind it',
    headers: ['ETag'],
    answers: { 200: predictionView },
    async handle(ports, call) {
      const { project, prediction } = call.params;
      const found = await findPrediction(ports, project, prediction);
      const { document: model } = await findModel(ports, project, found.document.model.number);
      const lineage = toLineageView(await traceLineage(ports, model), call.base);
      const json = toPredictionView(found.document, lineage);
      return { status: 200, json, headers: { etag: found.etag } };
    },
  }),
];
