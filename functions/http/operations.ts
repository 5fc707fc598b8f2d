/** What operators look at: activity, dead letters, health. */
import * as z from 'zod';
import { Problem } from '../../shared/api/problem.ts';
import type { DeadLetterDocument } from '../../shared/documents.ts';
import type { Stored } from '../../shared/ports.ts';
import { deadLetterView, eventView, toDeadLetterView, toEventView } from '../../shared/api/views/operations.ts';
import { page } from '../../shared/api/views/page.ts';
import { queueMessages } from '../../shared/message.ts';
import { queueNames } from '../../shared/resources.ts';
import { listQuery } from './projects.ts';
import { type Answer, continuationOf, type HttpPorts, pageOf, projectOf, route } from './route.ts';

const queueName = z.enum(queueNames as [string, ...string[]]);
const maxReplay = 1000;
const perPage = 500;
const maxPages = 20;
/** refused letters that an answer lists */
const maxRefused = 100;

async function ready(ports: HttpPorts): Promise<Answer> {
  const attempt = async (work: () => Promise<unknown>): Promise<{ ok: boolean; detail: string | null }> => {
    try {
      await work();
      return { ok: true, detail: null };
    } catch (error) {
      return { ok: false, detail: error instanceof Error ? error.message.slice(0, 300) : 'failed' };
    }
  };
  const [documents, blobs, messages, compute] = await Promise.all([
    attempt(() => ports.documents.read('projects', 'projects', 'readiness')),
    attempt(() => ports.blobs.exists('datasets', 'readiness')),
    attempt(() => ports.messages.reach('training-requests')),
    attempt(() => ports.compute.list()),
  ]);
  const dependencies = { documents, blobs, messages, compute };
  const ok = Object.values(dependencies).every((d) => d.ok);
  return { status: ok ? 200 : 503, json: { status: ok ? 'ready' : 'not-ready', dependencies } };
}

const replayView = z.object({
  replayed: z.number(),
  refusedCount: z.number().describe('letters that nobody would understand; the first 100 of them are in `refused`'),
  refused: z.array(z.object({ id: z.string(), why: z.string() })).max(maxRefused),
  more: z.boolean().describe('letters are left that this call did not reach: call again'),
});

const dependency = z.object({ ok: z.boolean(), detail: z.string().nullable() });
const readyView = z.object({
  status: z.enum(['ready', 'not-ready']),
  dependencies: z.object({ documents: dependency, blobs: dependency, messages: dependency, compute: dependency }),
});

export const operationRoutes = [
  route({
    name: 'events-list',
    method: 'GET',
    path: 'v1/projects/{p}/events',
    role: 'viewer',
    summary: 'The activity feed, newest first; `after` is the time of the newest event known',
    query: z.strictObject({ ...listQuery, after: z.iso.datetime().optional() }),
    answers: { 200: page(eventView) },
    async handle(ports, call) {
      const { document: project } = await projectOf(ports, call);
      const { after, limit } = call.query;
      const found = await ports.documents.query('events', {
        pk: project.id,
        orderBy: { field: 'at', descending: after === undefined },
        ...(after === undefined ? {} : { after }),
        limit,
        ...continuationOf(call.query),
      });
      const value = found.items.map(({ document }) => toEventView(document));
      return pageOf(
        call,
        `/projects/${project.id}/events`,
        call.query,
        after === undefined ? value : value.reverse(),
        found.continuation,
      );
    },
  }),
  route({
    name: 'dead-letters-list',
    method: 'GET',
    path: 'v1/dead-letters',
    role: 'operator',
    summary: 'What is stuck and why',
    query: z.strictObject({
      ...listQuery,
      queue: queueName.optional(),
      status: z.enum(['waiting', 'replayed']).default('waiting'),
    }),
    answers: { 200: page(deadLetterView) },
    async handle(ports, call) {
      const { queue, status, limit } = call.query;
      const found = await ports.documents.query('dead-letters', {
        ...(queue === undefined ? {} : { pk: queue }),
        equals: { status },
        orderBy: { field: 'lastAt', descending: true },
        limit,
        ...continuationOf(call.query),
      });
      const value = found.items.map(({ document }) => toDeadLetterView(document));
      return pageOf(call, '/dead-letters', call.query, value, found.continuation);
    },
  }),
  route({
    name: 'dead-letters-replay',
    method: 'POST',
    path: 'v1/dead-letters/{queue}/replay',
    role: 'operator',
    summary: 'Send stuck messages of a queue again: one by id, or all that wait; twice is harmless',
    body: z.strictObject({ id: z.string().max(100).optional() }).prefault({}),
    answers: { 202: replayView },
    async handle(ports, call) {
      const queue = queueNames.find((q) => q === call.params['queue']);
      if (queue === undefined)
        throw new Problem(
          404,
          'unknown-queue',
          `There is no queue ${call.params['queue']}; queues are ${queueNames.join(', ')}.`,
          { target: 'queue' },
        );
      const { id } = call.body;
      const one = id === undefined ? undefined : await ports.documents.read('dead-letters', queue, id);
      if (id !== undefined && one === undefined)
        throw new Problem(404, 'unknown-dead-letter', `There is no dead letter ${id} of queue ${queue}.`, {
          target: 'id',
        });
      return {
        status: 202,
        json: await replay(ports, queue, one === undefined ? waitingLetters(ports, queue) : [one]),
      };
    },
  }),
  route({
    name: 'health-live',
    method: 'GET',
    path: 'v1/health/live',
    role: 'open',
    summary: 'The process answers; touches nothing',
    answers: { 200: z.object({ status: z.literal('live') }) },
    handle: () => Promise.resolve({ status: 200, json: { status: 'live' } }),
  }),
  route({
    name: 'health-ready',
    method: 'GET',
    path: 'v1/health/ready',
    role: 'viewer',
    scope: 'any-key',
    summary: 'Every dependency by name',
    answers: { 200: readyView, 503: readyView },
    handle: (ports) => ready(ports),
  }),
];

type Queue = (typeof queueNames)[number];

/** Newest first; those that are refused stay and must not be in the way of the others. */
async function* waitingLetters(ports: HttpPorts, queue: Queue): AsyncGenerator<Stored<DeadLetterDocument>> {
  let continuation: string | undefined;
  for (let pages = 0; pages < maxPages; pages++) {
    const page = await ports.documents.query('dead-letters', {
      pk: queue,
      equals: { status: 'waiting' },
      orderBy: { field: 'lastAt', descending: true },
      limit: perPage,
      ...(continuation === undefined ? {} : { continuation }),
    });
    yield* page.items;
    continuation = page.continuation;
    if (continuation === undefined) return;
  }
}

/** Sends letters again, at most 1,000; a message that nobody would understand is refused with the reason. */
async function replay(
  ports: HttpPorts,
  queue: Queue,
  letters: Iterable<Stored<DeadLetterDocument>> | AsyncIterable<Stored<DeadLetterDocument>>,
): Promise<z.infer<typeof replayView>> {
  const refused: { id: string; why: string }[] = [];
  let [replayed, refusedCount] = [0, 0];
  for await (const { document, etag } of letters) {
    const message = replayable(queue, document.body, document.truncated);
    if (typeof message === 'string') {
      if (++refusedCount <= maxRefused) refused.push({ id: document.id, why: message });
      continue;
    }
    if (replayed === maxReplay) return { replayed, refusedCount, refused, more: true };
    await ports.messages.send(queue, [message]);
    const replayedAt = ports.clock.now().toISOString();
    // 'changed' is fine: it got stuck again in this moment, and waits for the next replay
    await ports.documents.replace('dead-letters', { ...document, status: 'replayed', replayedAt }, etag);
    replayed++;
  }
  return { replayed, refusedCount, refused, more: false };
}

function replayable(
  queue: Queue,
  body: string,
  truncated: boolean,
): Parameters<HttpPorts['messages']['send']>[1][number] | string {
  if (truncated) return 'its body was too large to keep whole';
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return 'its body is not JSON; it can never be handled';
  }
  const parsed = queueMessages[queue].safeParse(json);
  return parsed.success
    ? parsed.data
    : `its body is no message of this queue: ${parsed.error.issues[0]?.message ?? ''}`;
}
