/** The endpoint: what serves, deploying, rolling back, scoring. */
import * as z from 'zod';
import { Problem } from '../../../shared/api/problem.ts';
import {
  endpointView,
  predictionView,
  scoreView,
  toEndpointView,
  toPredictionView,
} from '../../../shared/api/views/endpoint.ts';
import { newEndpoint } from '../../../shared/endpoint/endpoint.ts';
import { rollBack, whyNoRollback } from '../../../shared/endpoint/roll-back.ts';
import { digestOf } from '../../../shared/digest.ts';
import { approval } from '../../../shared/model/approve.ts';
import { predictionPartition } from '../../../shared/prediction/score.ts';
import { lineageOf, modelOf } from './models.ts';
import { route } from '../route.ts';
import { changed, requireMatch } from './preconditions.ts';
import { projectOf } from './find-project.ts';

/** Of `*` alone nobody could tell a second rollback from one whose answer was lost, and a good model would be gone. */
const repeatable = (): Problem =>
  new Problem(
    400,
    'idempotency-key-required',
    'If-Match: * needs an Idempotency-Key, so that a repeated request does not roll back twice. Or send the ETag of the endpoint.',
    { target: 'Idempotency-Key' },
  );

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
      const { document: project } = await projectOf(ports, call);
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
      const { document: project } = await projectOf(ports, call);
      const { document: model } = await modelOf(ports, project.id, String(call.body.model));
      if (model.state !== 'approved') {
        throw new Problem(409, 'model-not-approved', `Model ${model.number} is ${model.state}. Approve it first.`, {
          target: 'model',
        });
      }
      const endpoint = await ports.documents.read('endpoints', project.id, 'endpoint');
      const deployment = `o-${digestOf(24, project.id, 'deploy', call.idempotencyKey ?? ports.ids.next())}`;
      const isRepetition = endpoint?.document.handled.includes(deployment) === true;
      if (call.ifMatch !== undefined && !isRepetition) requireMatch(call, endpoint?.etag ?? '');
      const seen = call.ifMatch === undefined || call.ifMatch === '*' ? undefined : (endpoint?.document.revision ?? 0);
      const asked = approval(project.id, model.number, deployment, call.cause, seen);
      if (asked.to === 'queue') await ports.messages.send(asked.queue, [asked.message]);
      return {
        status: 202,
        json: { deployment },
        headers: { 'operation-location': `${call.base}/projects/${project.id}/endpoint`, 'retry-after': '1' },
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
    async handle(ports, call) {
      const { document: project } = await projectOf(ports, call);
      const stored = await ports.documents.read('endpoints', project.id, 'endpoint');
      if (stored === undefined)
        throw new Problem(409, 'nothing-to-roll-back', 'No model has ever been live in this project.');
      if (call.ifMatch === '*' && call.idempotencyKey === undefined) throw repeatable();
      const deployment = `b-${digestOf(24, project.id, 'rollback', call.idempotencyKey ?? stored.etag)}`;
      if (!stored.document.handled.includes(deployment)) requireMatch(call, stored.etag);
      const at = ports.clock.now().toISOString();
      const rollback = { by: call.by, reason: call.body.reason, at, deployment };
      const after = await rollBack(ports, stored, rollback, call.cause);
      if (after === 'changed') throw changed();
      const current = await ports.documents.read('endpoints', project.id, 'endpoint');
      if (current === undefined) throw changed();
      if (after === undefined && !current.document.handled.includes(deployment)) {
        throw new Problem(409, 'nothing-to-roll-back', whyNoRollback(current.document));
      }
      return { status: 200, json: toEndpointView(current.document), headers: { etag: current.etag } };
    },
  }),
  route({
    name: 'score-post',
    method: 'POST',
    path: 'projects/{project}/score',
    role: 'viewer',
    summary:
      'Score one image; `?model=n` pins a model version. 422 where the model has no answer (not-a-number): `predictionId` names the record',
    takes: 'image',
    query: z.strictObject({ model: z.coerce.number().int().positive().optional() }),
    answers: { 200: scoreView },
    async handle(ports, call) {
      const { project } = call.params;
      if (call.bytes.length === 0)
        throw new Problem(400, 'bad-image', 'The body is empty. Send the bytes of one PNG, JPEG or WebP image.');
      const options = { owner: call.key.id, pin: call.query.model, traceparent: call.cause.traceparent };
      return {
        status: 200,
        json: await ports.score(project, { bytes: call.bytes, contentType: call.contentType }, options),
      };
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
      const { project, prediction: id } = call.params;
      const found = await ports.documents.read('predictions', predictionPartition(project, id), id);
      if (found === undefined)
        throw new Problem(
          404,
          'unknown-prediction',
          `There is no prediction ${id} in project ${project}. The answer to a score has its id; predictions are kept for 90 days.`,
          { target: 'prediction' },
        );
      const { document: model } = await modelOf(ports, project, String(found.document.model.number));
      const json = toPredictionView(found.document, await lineageOf(ports, call.base, model));
      return { status: 200, json, headers: { etag: found.etag } };
    },
  }),
];
