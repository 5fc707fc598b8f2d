/** Projects: settings, and where each stands. */
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import { mergePatch, patchOf } from '../../../shared/api/merge-patch.ts';
import { Problem } from '../../../shared/api/problem.ts';
import { toVersionView } from '../../../shared/api/views/dataset.ts';
import { page } from '../../../shared/api/views/page.ts';
import {
  projectStatusView,
  projectSummaryView,
  projectView,
  toProjectSummary,
  toProjectView,
  uploadStates,
  type Warning,
} from '../../../shared/api/views/project.ts';
import type { Cause } from '../../../shared/delivery/message.ts';
import { TerminalError } from '../../../shared/errors.ts';
import { unassignedProject } from '../../../shared/names.ts';
import type { Stored } from '../../../shared/ports.ts';
import { assertSeen, changed } from '../../../shared/precondition.ts';
import { changeSettings } from '../../../shared/project/change-settings.ts';
import { createProject } from '../../../shared/project/create.ts';
import type { ProjectDocument } from '../../../shared/project/document.ts';
import { findProject } from '../../../shared/project/find.ts';
import { sendProjectOutbox } from '../../../shared/project/send-outbox.ts';
import { type ProjectSettings, projectSettings } from '../../../shared/project/settings.ts';
import { describeLookAlikes, lookAlikes } from '../../../shared/sample/look-alikes.ts';
import { whyIdle } from '../../../shared/training/why-idle.ts';
import { type Answer, type HttpPorts, route } from '../route.ts';
import { listQuery, pageOf } from './listing.ts';
import { readPage } from './pages.ts';

/** how many warnings an answer lists */
const maxWarnings = 20;

async function countsOf(ports: HttpPorts, project: string) {
  const { documents } = ports;
  const [samples, versions, trainings, models, ...uploads] = await Promise.all([
    documents.count('samples', { equals: { project } }),
    documents.count('versions', { pk: project }),
    documents.count('runs', { pk: project }),
    documents.count('models', { pk: project }),
    ...uploadStates.map((status) => documents.count('uploads', { equals: { project, status } })),
  ]);
  const byState = Object.fromEntries(uploadStates.map((state, i) => [state, uploads[i] ?? 0]));
  return { uploads: byState, samples, versions, trainings, models };
}

function assertNotReserved(name: string): void {
  if (name !== unassignedProject) return;
  const detail = `This cannot be a project's name: "${unassignedProject}" is where uploads without a project are. Choose another.`;
  throw new Problem(400, 'invalid-name', detail, { target: 'project' });
}

/** What is allowed and hardly meant. */
function warningsOf({ settings }: ProjectDocument, byClass: Record<string, number>): Warning[] {
  return lookAlikes([...settings.classes, ...Object.keys(byClass)])
    .slice(0, maxWarnings)
    .map((group) => ({ code: 'look-alike-classes', detail: describeLookAlikes(group) }));
}

/** Samples, models and versions are those of one kind of task. */
function assertSameTask({ id, settings: { task } }: ProjectDocument, asked: ProjectSettings): void {
  if (asked.task === task) return;
  const detail = `The task of project ${id} is ${task}, chosen when the project was made, and cannot become ${asked.task}. Make another project for that.`;
  throw new Problem(409, 'task-fixed', detail, { target: 'task' });
}

const answered = (status: 200 | 201, { document, etag }: Stored<ProjectDocument>): Answer => ({
  status,
  json: toProjectView(document),
  headers: { etag },
});

/**
 * Replaces what a project is set to. Settings that it has already change nothing and need no If-Match: a request is
 * repeated when its answer was lost, and whoever repeats it has not seen an ETag.
 */
async function replaceSettings(
  ports: HttpPorts,
  call: { ifMatch: string | undefined; body: ProjectSettings; by: string; cause: Cause },
  current: Stored<ProjectDocument>,
): Promise<Answer> {
  // as they are read today: a setting that is newer than the document has its default
  const stored = projectSettings.safeParse(current.document.settings);
  const same = stored.success && isDeepStrictEqual(stored.data, call.body);
  // changed so already, maybe by this very request, whose answer did not arrive: its etag is an older one
  if (same) return answered(200, await sendProjectOutbox(ports, current));
  assertSameTask(current.document, call.body);
  assertSeen(call.ifMatch, current.etag);
  const saved = await changeSettings(ports, current, call.body, call.by, call.cause);
  if (saved === 'changed') throw changed();
  return answered(200, saved);
}

/** What a project would be set to after a patch; throws a 400 that names what cannot be. */
function patched(current: ProjectDocument, patch: unknown): ProjectSettings {
  const settings = projectSettings.safeParse(mergePatch(current.settings, patch));
  if (settings.success) return settings.data;
  const [{ path, message } = { path: [], message: 'not understood' }] = settings.error.issues;
  const target = path.join('.') || 'body';
  const detail = `With this patch "${target}" would not be valid: ${message}. Nothing was changed. See /api/openapi.json for what is expected.`;
  throw new Problem(400, 'invalid-body', detail, { target });
}

/** a patch without If-Match is made again on what somebody else has changed meanwhile, this often */
const maxPatchTries = 5;

export const projectRoutes = [
  route({
    name: 'projects-list',
    method: 'GET',
    path: 'projects',
    role: 'viewer',
    scope: 'any-key',
    summary: 'List the projects that the key is for; one that is asked for by name has its settings',
    query: z.strictObject(listQuery),
    answers: { 200: page(projectSummaryView) },
    async handle(ports, call) {
      const isMine = ({ id }: ProjectDocument): boolean => call.key.project === '*' || call.key.project === id;
      const { value, continuation } = await readPage(
        call.query,
        (look) => ports.documents.query('projects', { pk: 'projects', ...look }),
        (documents) => documents.filter(isMine).map(toProjectSummary),
      );
      return pageOf(call, '/projects', call.query, value, continuation);
    },
  }),
  route({
    name: 'projects-put',
    method: 'PUT',
    path: 'projects/{project}',
    role: 'operator',
    summary:
      'Create a project, or replace its settings, where what is left out has its default: a change needs If-Match, repeating what is set does not',
    takesIfMatch: 'optional',
    body: projectSettings,
    headers: ['ETag'],
    answers: { 200: projectView, 201: projectView },
    async handle(ports, call) {
      const { project: id } = call.params;
      assertNotReserved(id);
      const current = await ports.documents.read('projects', 'projects', id);
      if (current !== undefined) return replaceSettings(ports, call, current);
      if (call.ifMatch !== undefined) throw changed();
      const saved = await createProject(ports, id, call.body, call.by, call.cause);
      if (saved !== 'exists') return answered(201, saved);
      // somebody was faster, perhaps this very request, sent twice
      return replaceSettings(ports, call, await findProject(ports, call.params.project));
    },
  }),
  route({
    name: 'projects-patch',
    method: 'PATCH',
    path: 'projects/{project}',
    role: 'operator',
    summary: 'Change some settings (JSON Merge Patch): what is left out stays, null resets one to its default',
    takesIfMatch: 'optional',
    body: patchOf(projectSettings).meta({ examples: [{ deploy: { mode: 'manual' }, gate: { minimum: null } }] }),
    headers: ['ETag'],
    answers: { 200: projectView },
    async handle(ports, call) {
      for (let tries = 1; ; tries++) {
        const current = await findProject(ports, call.params.project);
        const asked = { ...call, ifMatch: call.ifMatch ?? current.etag, body: patched(current.document, call.body) };
        try {
          return await replaceSettings(ports, asked, current);
        } catch (error) {
          const raced =
            error instanceof TerminalError && error.code === 'precondition-failed' && call.ifMatch === undefined;
          if (!raced || tries === maxPatchTries) throw error;
        }
      }
    },
  }),
  route({
    name: 'projects-get',
    method: 'GET',
    path: 'projects/{project}',
    role: 'viewer',
    summary: 'Read a project with its dataset head, and how many uploads ended in each outcome',
    headers: ['ETag'],
    answers: { 200: projectStatusView },
    async handle(ports, call) {
      const project = await findProject(ports, call.params.project);
      const { id, settings } = project.document;
      const head = await ports.documents.read('heads', id, 'head');
      const scheduler = (await ports.documents.read('schedulers', id, 'scheduler'))?.document;
      const json = {
        ...toProjectView(project.document),
        head: head?.document.head ? toVersionView(head.document.head) : null,
        training: {
          run: scheduler?.active?.run ?? null,
          waitingFor: whyIdle(settings, head?.document.head ?? null, scheduler, ports.clock.now(), ports.trainers),
        },
        counts: await countsOf(ports, id),
        warnings: warningsOf(project.document, head?.document.head?.byClass ?? {}),
      };
      return { status: 200, json, headers: { etag: project.etag } };
    },
  }),
];
