/** Messages that got stuck: what they are and why, sending them again, and giving them up. */
import * as z from 'zod';
import { opaqueId } from '../../../shared/api/parameters.ts';
import { Problem } from '../../../shared/api/problem.ts';
import { deadLetterView, toDeadLetterView } from '../../../shared/api/views/operations.ts';
import { page } from '../../../shared/api/views/page.ts';
import { dismissDeadLetter, unknownDeadLetter } from '../../../shared/delivery/dismiss-dead-letter.ts';
import { listWaitingDeadLetters } from '../../../shared/delivery/list-dead-letters.ts';
import { maxRefused, replayDeadLetters } from '../../../shared/delivery/replay-dead-letters.ts';
import { type QueueName, queueNames } from '../../../shared/resources.ts';
import { route } from '../route.ts';
import { listQuery, pageOf } from './listing.ts';
import { readPage } from './pages.ts';

const queueName = z.enum(queueNames as [string, ...string[]]);

const replayView = z.object({
  replayed: z.number(),
  refusedCount: z.number().describe('letters that nobody would understand; the first 100 of them are in `refused`'),
  refused: z.array(z.object({ id: z.string(), why: z.string() })).max(maxRefused),
  more: z
    .boolean()
    .describe('letters are left that this call did not reach: call again, and dismiss first what was refused'),
});

export const deadLetterRoutes = [
  route({
    name: 'dead-letters-list',
    method: 'GET',
    path: 'dead-letters',
    role: 'operator',
    summary: 'What is stuck and why',
    query: z.strictObject({
      ...listQuery,
      queue: queueName.optional(),
      status: z.enum(['waiting', 'replayed', 'dismissed']).default('waiting'),
    }),
    answers: { 200: page(deadLetterView) },
    async handle(ports, call) {
      const { queue, status } = call.query;
      const partition = queue === undefined ? {} : { pk: queue };
      const orderBy = { field: 'lastAt' as const, descending: true };
      const { value, continuation } = await readPage(
        call.query,
        (batch) => ports.documents.query('dead-letters', { ...partition, equals: { status }, orderBy, ...batch }),
        (documents) => documents.map(toDeadLetterView),
      );
      return pageOf(call, '/dead-letters', call.query, value, continuation);
    },
  }),
  route({
    name: 'dead-letters-replay',
    method: 'POST',
    path: 'dead-letters/{queue}/replay',
    role: 'operator',
    summary: 'Send stuck messages of a queue again: one by id, or all that wait; twice is harmless',
    body: z.strictObject({ id: opaqueId.optional() }).prefault({}),
    answers: { 202: replayView },
    async handle(ports, call) {
      const queue = queueOf(call);
      const { id } = call.body;
      const one = id === undefined ? undefined : await ports.documents.read('dead-letters', queue, id);
      if (id !== undefined && one === undefined) throw unknownDeadLetter(queue, id);
      return {
        status: 202,
        json: await replayDeadLetters(ports, queue, one === undefined ? listWaitingDeadLetters(ports, queue) : [one]),
      };
    },
  }),
  route({
    name: 'dead-letters-dismiss',
    method: 'POST',
    path: 'dead-letters/{queue}/dismiss',
    role: 'operator',
    summary: 'Settle a stuck message that will never be handled: it is kept, with who said why; twice is harmless',
    body: z.strictObject({ id: opaqueId, reason: z.string().min(1).max(500) }),
    answers: { 200: deadLetterView },
    async handle(ports, call) {
      const queue = queueOf(call);
      const { document } = await dismissDeadLetter(ports, queue, call.body.id, { ...call.body, by: call.by });
      return { status: 200, json: toDeadLetterView(document) };
    },
  }),
];

function queueOf({ params }: { params: { queue: string } }): QueueName {
  const queue = queueNames.find((name) => name === params.queue);
  if (queue !== undefined) return queue;
  const detail = `There is no queue ${params.queue}; queues are ${queueNames.join(', ')}.`;
  throw new Problem(404, 'unknown-queue', detail, { target: 'queue' });
}
