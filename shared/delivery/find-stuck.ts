/** Finding messages that cannot be handled, and saved changes whose messages were not sent. */
import type { Ports } from '../ports.ts';
import { isLongAgo, maxStuck, type Stuck, sweepNow } from '../project/stuck.ts';
import type { DeadLetterDocument } from './document.ts';
import { outboxOf } from './send-outbox.ts';
import { listWaitingDeadLetters } from './list-dead-letters.ts';

type StuckPorts = Pick<Ports, 'clock' | 'documents'>;

const savedSeconds = 60;

/** A saved change whose messages were not sent: whoever saved it died, and nobody has repeated the command. */
export async function findUnsentMessages(ports: StuckPorts, project: string): Promise<Stuck[]> {
  const newest = <T extends string>(field: T) => ({ pk: project, orderBy: { field, descending: true }, limit: 20 });
  const [scheduler, endpoint, runs, models] = await Promise.all([
    ports.documents.read('schedulers', project, 'scheduler'),
    ports.documents.read('endpoints', project, 'endpoint'),
    ports.documents.query('runs', newest('createdAt')),
    ports.documents.query('models', newest('number')),
  ]);
  const changed = [
    ...(scheduler === undefined ? [] : [{ of: scheduler.document, since: scheduler.document.lastStartedAt }]),
    ...(endpoint === undefined ? [] : [{ of: endpoint.document, since: endpoint.document.history[0]?.at }]),
    ...runs.items.map(({ document: run }) => ({ of: run, since: run.endedAt ?? run.trainedAt ?? run.createdAt })),
    ...models.items.map(({ document: model }) => ({ of: model, since: model.createdAt })),
  ];
  return changed.flatMap(({ of, since }) => {
    const unsent = outboxOf(of).length;
    if (unsent === 0 || !since || !isLongAgo(ports, since, savedSeconds)) return [];
    const detail = `The change was saved, and ${unsent} of its messages were not sent.`;
    return [{ kind: 'messages' as const, id: of.id, since, detail, remedy: sweepNow(project) }];
  });
}

/** Dead letters of a project that wait for a decision. */
export async function findDeadLetters(ports: StuckPorts, project: string): Promise<Stuck[]> {
  const found: DeadLetterDocument[] = [];
  // a project is not indexed
  for await (const { document } of listWaitingDeadLetters(ports)) {
    if (document.project === project) found.push(document);
    if (found.length === maxStuck) break;
  }
  return found.map(({ id, queue, reason, detail, firstAt }) => ({
    kind: 'dead-letter',
    id,
    since: firstAt,
    detail: `A message of ${queue} cannot be handled (${reason}): ${detail}`,
    // what nobody understands is refused when it is sent again
    remedy:
      reason === 'invalid-message'
        ? `POST /api/v1/dead-letters/${queue}/dismiss {"id":"${id}","reason":"..."}`
        : `POST /api/v1/dead-letters/${queue}/replay {"id":"${id}"}`,
  }));
}
