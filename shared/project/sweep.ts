/** The one timer: heals what no redelivery and no repeated request has healed. Idle projects cost a few reads. */
import { reconcileBatches } from '../batch/reconcile.ts';
import { commitForgotten, finishVersion } from '../dataset/reconcile.ts';
import type { Cause } from '../delivery/message.ts';
import { sendOutbox } from '../delivery/send-outbox.ts';
import { replayOutages } from '../delivery/replay-dead-letters.ts';
import { resendUndelivered } from '../delivery/resend-undelivered.ts';
import { reconcileEndpoint } from '../endpoint/reconcile.ts';
import { listAll } from '../list-all.ts';
import { reconcileModels } from '../model/reconcile.ts';
import type { Ports } from '../ports.ts';
import type { PollPorts } from '../training/poll.ts';
import { reconcileTrainings } from '../training/reconcile.ts';
import type { ProjectDocument } from './document.ts';

const maxProjects = 1000;

export type SweepPorts = Ports & PollPorts;

export interface SweepReport {
  projects: number;
  /** events that Event Grid could not deliver, and messages that an outage kept waiting too long: on their way again */
  resent: number;
  problems: string[];
}

/** Goes over every project; what fails for one is reported and does not stop the others. */
export async function sweep(ports: SweepPorts): Promise<SweepReport> {
  let resent = 0;
  const problems = await attemptsAt('messages that were given up', [
    async () => void (resent += await resendUndelivered(ports)),
    async () => void (resent += await replayOutages(ports)),
  ]);
  let projects = 0;
  const goOver = async (): Promise<void> => {
    for await (const { document } of listAll(
      ports.documents,
      'projects',
      { pk: 'projects', limit: 100 },
      maxProjects + 1,
    )) {
      if (projects === maxProjects) {
        problems.push(`a sweep goes over ${maxProjects} projects; there are more`);
        break;
      }
      projects++;
      problems.push(...(await sweepProject(ports, document)));
    }
  };
  problems.push(...(await attemptsAt('the list of projects', [goOver])));
  for (const problem of problems) ports.telemetry.problem(problem);
  return { projects, resent, problems };
}

/** Heals one project; returns what could not be healed, and why. */
export async function sweepProject(ports: SweepPorts, project: ProjectDocument): Promise<string[]> {
  const cause: Cause = { id: `sweep-${ports.ids.next()}` };
  return attemptsAt(`sweep of ${project.id}`, [
    () => sendUnsent(ports, project),
    () => reconcileModels(ports, project.id),
    () => finishVersion(ports, project, cause),
    () => commitForgotten(ports, project, cause),
    () => reconcileTrainings(ports, project.id, cause),
    () => reconcileEndpoint(ports, project.id, cause),
    () => reconcileBatches(ports, project.id, cause),
  ]);
}

/** Sends what the project itself still has to send. */
async function sendUnsent(ports: SweepPorts, { id, outbox = [] }: ProjectDocument): Promise<void> {
  const stored = outbox.length === 0 ? undefined : await ports.documents.read('projects', 'projects', id);
  if (stored !== undefined) await sendOutbox(ports, 'projects', stored);
}

/** Tries every piece of work in turn and returns what went wrong, so that one failure does not hide the others. */
async function attemptsAt(what: string, work: readonly (() => Promise<void>)[]): Promise<string[]> {
  const problems: string[] = [];
  for (const piece of work) {
    try {
      await piece();
    } catch (error) {
      problems.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return problems;
}
