/** What stands still in a project for longer than it should: read only, for an operator who wonders. */
import { findStuckBatches } from '../batch/find-stuck.ts';
import { findStuckSamples } from '../dataset/find-stuck.ts';
import { findDeadLetters, findUnsentMessages } from '../delivery/find-stuck.ts';
import { findStuckCanary } from '../endpoint/find-stuck.ts';
import type { Ports } from '../ports.ts';
import type { ComputePorts } from '../training/compute.ts';
import { findStuckTrainings } from '../training/find-stuck.ts';
import { findStuckUploads } from '../upload/find-stuck.ts';
import type { ProjectDocument } from './document.ts';
import type { Stuck } from './stuck.ts';

/** Everything of a project that has stood still for longer than retries take, oldest first; at most 100 of a kind. */
export async function findStuck(
  ports: ComputePorts & Pick<Ports, 'clock' | 'documents'>,
  project: ProjectDocument,
): Promise<Stuck[]> {
  const found = await Promise.all([
    findStuckUploads(ports, project),
    findStuckSamples(ports, project),
    findStuckTrainings(ports, project.id),
    findStuckBatches(ports, project.id),
    findUnsentMessages(ports, project.id),
    findStuckCanary(ports, project.id),
    findDeadLetters(ports, project.id),
  ]);
  return found.flat().sort((a, b) => (a.since < b.since ? -1 : 1));
}
