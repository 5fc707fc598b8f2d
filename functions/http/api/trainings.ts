/** Trainings: start, follow, cancel. */
import * as z from 'zod';
import { versionName } from '../../../shared/api/parameters.ts';
import { Problem } from '../../../shared/api/problem.ts';
import { page } from '../../../shared/api/views/page.ts';
import {
  toTrainingSummary,
  toTrainingView,
  trainingSummaryView,
  trainingView,
} from '../../../shared/api/views/training.ts';
import type { ProjectDocument } from '../../../shared/project/document.ts';
import { findProject } from '../../../shared/project/find.ts';
import { trainerName } from '../../../shared/project/settings.ts';
import { cancelRun } from '../../../shared/training/cancel.ts';
import type { RunDocument } from '../../../shared/training/document.ts';
import { findTraining, unknownTraining } from '../../../shared/training/find.ts';
import { requestTraining } from '../../../shared/training/request.ts';
import { isOpen } from '../../../shared/training/run.ts';
import { whyQueued } from '../../../shared/training/why-queued.ts';
import { type HttpPorts, route } from '../route.ts';
import { listQuery, pageOf } from './listing.ts';
import { readPage } from './pages.ts';

const parameters = z.record(z.string().max(60), z.union([z.number(), z.string().max(200), z.boolean()]));
const retryAfter = { 'retry-after': '2' };

/** Shows trainings together with why those that wait do so. */
async function viewsOf<V>(
  ports: HttpPorts,
  project: ProjectDocument,
  runs: RunDocument[],
  toView: (run: RunDocument, queueReason: string | null) => V,
): Promise<V[]> {
  const waits = runs.some(({ state }) => state === 'queued');
  const scheduler = waits ? await ports.documents.read('schedulers', project.id, 'scheduler') : undefined;
  const now = ports.clock.now();
  return runs.map((run) => toView(run, whyQueued(run, scheduler?.document, project.settings.retrain, now)));
}

export const trainingRoutes = [
  route({
    name: 'trainings-post',
    method: 'POST',
    path: 'projects/{project}/trainings',
    role: 'operator',
    summary: 'Start a training; the answer says whether it starts, waits, or another run does its work',
    body: z
      .strictObject({
        version: z.union([versionName, z.number().int().positive()]).optional(),
        trainer: z.strictObject({ name: trainerName.optional(), parameters: parameters.optional() }).optional(),
        seed: z.number().int().min(0).max(0xffff_ffff).optional(),
        reason: z.string().max(500).optional(),
      })
      .meta({ examples: [{ seed: 7, reason: 'another seed' }] }),
    headers: ['Operation-Location', 'Retry-After'],
    answers: {
      202: z.object({
        id: z.string(),
        decision: z.enum(['start', 'wait', 'coalesced']),
        behind: z.string().optional(),
        into: z.string().optional(),
        /** what could not be checked before the job runs */
        note: z.string().optional(),
      }),
    },
    async handle(ports, call) {
      const { document: project } = await findProject(ports, call.params.project);
      const { version, trainer, seed, reason } = call.body;
      const input = {
        id: call.idempotencyKey ?? ports.ids.next(),
        version: version === undefined ? undefined : String(version),
        ...{ trainer, seed, reason, by: call.by, kind: 'manual' as const },
      };
      const { run, decision, note } = await requestTraining(ports, project, input, call.cause);
      if (decision.decision === 'refused') {
        throw new Problem(429, decision.code, `Training not started: ${decision.detail}.`, {
          retryAfterSeconds: decision.retryAfterSeconds,
        });
      }
      const id = decision.decision === 'coalesced' ? decision.into : run;
      const json = {
        id,
        decision: decision.decision,
        ...(decision.decision === 'wait' && decision.behind !== null ? { behind: decision.behind } : {}),
        ...(decision.decision === 'coalesced' ? { into: decision.into } : {}),
        ...(note === undefined ? {} : { note }),
      };
      return {
        status: 202,
        json,
        headers: { 'operation-location': `${call.base}/projects/${project.id}/trainings/${id}`, ...retryAfter },
      };
    },
  }),
  route({
    name: 'trainings-list',
    method: 'GET',
    path: 'projects/{project}/trainings',
    role: 'viewer',
    summary:
      'Trainings, newest first; one that is asked for by id has its classes, parameters, metrics, attempts and the sentences of its verdict',
    query: z.strictObject(listQuery),
    answers: { 200: page(trainingSummaryView) },
    async handle(ports, call) {
      const { document: project } = await findProject(ports, call.params.project);
      const orderBy = { field: 'createdAt' as const, descending: true };
      const found = await readPage(
        call.query,
        (batch) => ports.documents.query('runs', { pk: project.id, orderBy, ...batch }),
        (documents) => viewsOf(ports, project, documents, toTrainingSummary),
      );
      return pageOf(call, `/projects/${project.id}/trainings`, call.query, found.value, found.continuation);
    },
  }),
  route({
    name: 'trainings-get',
    method: 'GET',
    path: 'projects/{project}/trainings/{training}',
    role: 'viewer',
    summary: 'State, attempts, progress and metrics of one training',
    headers: ['ETag', 'Retry-After'],
    answers: { 200: trainingView },
    async handle(ports, call) {
      const { document: project } = await findProject(ports, call.params.project);
      const found = await findTraining(ports, project.id, call.params.training);
      const headers = { etag: found.etag, ...(isOpen(found.document.state) ? retryAfter : {}) };
      const [json] = await viewsOf(ports, project, [found.document], toTrainingView);
      return { status: 200, json, headers };
    },
  }),
  route({
    name: 'trainings-cancel',
    method: 'POST',
    path: 'projects/{project}/trainings/{training}/cancel',
    role: 'operator',
    summary: 'Cancel a training that has not ended',
    headers: ['ETag', 'Operation-Location', 'Retry-After'],
    answers: { 202: trainingView },
    async handle(ports, call) {
      const { project, training: id } = call.params;
      const cancelled = await cancelRun(ports, project, id, call.by, call.cause);
      if (cancelled === 'unknown') throw unknownTraining(project, id);
      if (cancelled === 'ended')
        throw new Problem(409, 'training-ended', `Training ${id} has ended already; nothing was changed.`);
      const monitor = `${call.base}/projects/${project}/trainings/${id}`;
      const headers = { etag: cancelled.etag, 'operation-location': monitor, ...retryAfter };
      return { status: 202, json: toTrainingView(cancelled.document), headers };
    },
  }),
];
