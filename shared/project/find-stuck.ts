/** What stands still in a project for longer than it should: read only, for an operator who wonders. */
import type { DeadLetterDocument } from '../delivery/document.ts';
import type { ProjectDocument } from './document.ts';
import type { RunDocument } from '../training/document.ts';
import { readHead } from '../dataset/stage.ts';
import { outboxOf } from '../delivery/outbox.ts';
import type { Ports } from '../ports.ts';
import { waitingLetters } from '../delivery/replay-dead-letters.ts';
import { diagnose } from '../training/diagnose.ts';
import { isOpen } from '../training/run.ts';
import { whyWaiting } from '../delivery/waiting.ts';

export interface Stuck {
  kind: 'upload' | 'samples' | 'version' | 'training' | 'messages' | 'canary' | 'dead-letter';
  /** the document that stands still */
  id: string;
  since: string;
  detail: string;
  /** what to send to mend it */
  remedy: string;
}

type StuckPorts = Pick<Ports, 'clock' | 'documents' | 'compute'>;

const maxListed = 100;
/** What is younger is still being worked on, by redeliveries and repeated attempts. */
const patienceSeconds = {
  upload: 600,
  staged: 60,
  saved: 60,
  queued: 600,
  starting: 300,
  evaluating: 900,
  canary: 300,
};

/** Everything of a project that has stood still for longer than retries take, oldest first; at most 100 of a kind. */
export async function findStuck(ports: StuckPorts, project: ProjectDocument): Promise<Stuck[]> {
  const found = await Promise.all([
    stuckUploads(ports, project),
    stuckSamples(ports, project),
    stuckTraining(ports, project.id),
    unsentMessages(ports, project.id),
    stuckCanary(ports, project.id),
    deadLetters(ports, project.id),
  ]);
  return found.flat().sort((a, b) => (a.since < b.since ? -1 : 1));
}

const secondsSince = (ports: StuckPorts, at: string): number => (ports.clock.now().getTime() - Date.parse(at)) / 1000;
const sweepNow = (project: string): string => `POST /api/v1/projects/${project}/sweep`;

async function stuckUploads(ports: StuckPorts, { id: project }: ProjectDocument): Promise<Stuck[]> {
  const received = await ports.documents.query('uploads', {
    equals: { project, status: 'received' },
    orderBy: { field: 'receivedAt', descending: false },
    limit: maxListed,
  });
  return received.items
    .filter(({ document }) => secondsSince(ports, document.receivedAt) > patienceSeconds.upload)
    .map(({ document: { id, blob, receivedAt, waits } }) => {
      const waiting = whyWaiting(waits, ports.clock.now());
      const lost = 'Its message is waiting in the queue, or among its dead letters.';
      return {
        kind: 'upload',
        id,
        since: receivedAt,
        detail: `${blob} was received and has no outcome. ${waiting ?? lost}`,
        remedy: waiting === null ? 'POST /api/v1/dead-letters/blob-created/replay' : 'GET /api/v1/health/ready',
      };
    });
}

async function stuckSamples(ports: StuckPorts, { id: project, settings }: ProjectDocument): Promise<Stuck[]> {
  const [staged, { document: head }] = await Promise.all([
    ports.documents.query('staged', { pk: project, orderBy: { field: 'stagedAt', descending: false }, limit: 1 }),
    readHead(ports.documents, project),
  ]);
  const stuck: Stuck[] = [];
  const oldest = staged.items[0]?.document;
  if (
    oldest !== undefined &&
    secondsSince(ports, oldest.stagedAt) > settings.commit.maxWaitSeconds + patienceSeconds.staged
  ) {
    const count = await ports.documents.count('staged', { pk: project });
    stuck.push({
      kind: 'samples',
      id: oldest.id,
      since: oldest.stagedAt,
      detail: `${count} labelled samples wait for a version, this one longest, though a version is made after ${settings.commit.maxWaitSeconds} s.`,
      remedy: sweepNow(project),
    });
  }
  if (head.unfinished && head.head !== null && secondsSince(ports, head.head.createdAt) > patienceSeconds.saved) {
    stuck.push({
      kind: 'version',
      id: head.head.version,
      since: head.head.createdAt,
      detail: `Version ${head.head.number} is the head, but whoever made it did not mark its samples or write its document.`,
      remedy: sweepNow(project),
    });
  }
  return stuck;
}

async function stuckTraining(ports: StuckPorts, project: string): Promise<Stuck[]> {
  const scheduler = (await ports.documents.read('schedulers', project, 'scheduler'))?.document;
  const asked = scheduler?.active;
  if (!asked) return [];
  const run = (await ports.documents.read('runs', project, asked.run))?.document;
  const what =
    run === undefined
      ? secondsSince(ports, asked.at) > patienceSeconds.saved
        ? { since: asked.at, detail: 'The run was asked for, but its document was never written.' }
        : undefined
      : await whyStill(ports, run);
  return what === undefined ? [] : [{ kind: 'training', id: asked.run, ...what, remedy: sweepNow(project) }];
}

async function whyStill(ports: StuckPorts, run: RunDocument): Promise<{ since: string; detail: string } | undefined> {
  const than = (since: string | null | undefined, seconds: number, detail: string) =>
    since && secondsSince(ports, since) > seconds ? { since, detail } : undefined;
  if (!isOpen(run.state))
    return than(run.endedAt, patienceSeconds.saved, 'The run ended, but still keeps others from beginning.');
  const lastMoved = run.retryAt ?? run.attempts.at(-1)?.endedAt ?? run.createdAt;
  if (run.state === 'queued')
    return than(lastMoved, patienceSeconds.queued, 'The run is queued, and nobody starts it.');
  if (run.state === 'evaluating') {
    const detail = 'The evaluation does not end. The dead letters of the queue evaluations may say why.';
    return than(run.judgedAt ?? run.trainedAt, patienceSeconds.evaluating, detail);
  }
  const name = run.execution ?? run.boundTo;
  if (name === null)
    return than(run.submittedAt, patienceSeconds.starting, 'The start of the job was never confirmed.');
  const failure = diagnose(run, await ports.compute.get(name), ports.clock.now());
  return failure && { since: run.lastReport?.at ?? run.submittedAt ?? run.createdAt, detail: failure.detail };
}

/** A saved change whose messages were not sent: whoever saved it died, and nobody has repeated the command. */
async function unsentMessages(ports: StuckPorts, project: string): Promise<Stuck[]> {
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
    if (unsent === 0 || !since || secondsSince(ports, since) <= patienceSeconds.saved) return [];
    const detail = `The change was saved, and ${unsent} of its messages were not sent.`;
    return [{ kind: 'messages' as const, id: of.id, since, detail, remedy: sweepNow(project) }];
  });
}

async function stuckCanary(ports: StuckPorts, project: string): Promise<Stuck[]> {
  const canary = (await ports.documents.read('endpoints', project, 'endpoint'))?.document.canary;
  if (!canary || secondsSince(ports, canary.endsAt) <= patienceSeconds.canary) return [];
  return [
    {
      kind: 'canary',
      id: canary.deployment,
      since: canary.endsAt,
      detail: `The trial of model ${canary.model} is over by time, but was not decided. It needs ${canary.minRequests} requests; send some, or decide it with If-Match: deploy that model, or the live one to end the trial.`,
      remedy: `POST /api/v1/projects/${project}/endpoint/deploy {"model":${canary.model}}`,
    },
  ];
}

async function deadLetters(ports: StuckPorts, project: string): Promise<Stuck[]> {
  const found: DeadLetterDocument[] = [];
  // a project is not indexed
  for await (const { document } of waitingLetters(ports)) {
    if (document.project === project) found.push(document);
    if (found.length === maxListed) break;
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
