/** Finding a training that does not go on. */
import type { Ports } from '../ports.ts';
import { isLongAgo, maxStuck, type Stuck, sweepNow } from '../project/stuck.ts';
import { computeOf, type ComputePorts } from './compute.ts';
import { diagnose } from './diagnose.ts';
import type { RunDocument } from './document.ts';
import { isOpen } from './run.ts';

type StuckPorts = ComputePorts & Pick<Ports, 'clock' | 'documents'>;

const savedSeconds = 60;
const queuedSeconds = 600;
const startingSeconds = 300;
const evaluatingSeconds = 900;

/** Runs that have stood still for longer than retries take: the project's active one, and models that were uploaded. */
export async function findStuckTrainings(ports: StuckPorts, project: string): Promise<Stuck[]> {
  return [...(await findStuckUploads(ports, project)), ...(await findStuckActive(ports, project))];
}

async function findStuckUploads(ports: StuckPorts, project: string): Promise<Stuck[]> {
  const newest = { orderBy: { field: 'createdAt' as const, descending: true }, limit: maxStuck };
  const { items } = await ports.documents.query('runs', { pk: project, ...newest });
  const found: Stuck[] = [];
  for (const { document: run } of items) {
    const what = run.origin !== undefined && isOpen(run.state) ? await whyStill(ports, run) : undefined;
    if (what !== undefined) found.push({ kind: 'training', id: run.id, ...what, remedy: sweepNow(project) });
  }
  return found;
}

async function findStuckActive(ports: StuckPorts, project: string): Promise<Stuck[]> {
  const scheduler = (await ports.documents.read('schedulers', project, 'scheduler'))?.document;
  const asked = scheduler?.active;
  if (!asked) return [];
  const run = (await ports.documents.read('runs', project, asked.run))?.document;
  const what =
    run === undefined
      ? isLongAgo(ports, asked.at, savedSeconds)
        ? { since: asked.at, detail: 'The run was asked for, but its document was never written.' }
        : undefined
      : await whyStill(ports, run);
  return what === undefined ? [] : [{ kind: 'training', id: asked.run, ...what, remedy: sweepNow(project) }];
}

async function whyStill(ports: StuckPorts, run: RunDocument): Promise<{ since: string; detail: string } | undefined> {
  const than = (since: string | null | undefined, seconds: number, detail: string) =>
    since && isLongAgo(ports, since, seconds) ? { since, detail } : undefined;
  if (!isOpen(run.state))
    return than(run.endedAt, savedSeconds, 'The run ended, but still keeps others from beginning.');
  const lastMoved = run.retryAt ?? run.attempts.at(-1)?.endedAt ?? run.createdAt;
  if (run.state === 'queued') return than(lastMoved, queuedSeconds, 'The run is queued, and nobody starts it.');
  if (run.state === 'evaluating') {
    const detail = 'The evaluation does not end. The dead letters of the queue evaluations may say why.';
    return than(run.judgedAt ?? run.trainedAt, evaluatingSeconds, detail);
  }
  const name = run.execution ?? run.boundTo;
  if (name === null) return than(run.submittedAt, startingSeconds, 'The start of the job was never confirmed.');
  const failure = diagnose(run, await computeOf(ports, run).get(name), ports.clock.now());
  return failure && { since: run.lastReport?.at ?? run.submittedAt ?? run.createdAt, detail: failure.detail };
}
