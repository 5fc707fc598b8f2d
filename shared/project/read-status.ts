/** Where a project stands. */
import type { VersionSummary } from '../dataset/document.ts';
import type { Ports } from '../ports.ts';
import { lookAlikes } from '../sample/look-alikes.ts';
import { whyIdle } from '../training/why-idle.ts';
import { type UploadDocument, uploadStates } from '../upload/document.ts';
import { findProject } from './find.ts';

/** how many groups of classes that look alike are named */
const maxLookAlikes = 20;

type StatusPorts = Pick<Ports, 'clock' | 'documents' | 'trainers' | 'otherComputes'>;

/** A project, the head of its dataset, what trains or why nothing does, how much there is, and classes that look alike. */
export async function readStatus(ports: StatusPorts, name: string) {
  const project = await findProject(ports, name);
  const { id, settings } = project.document;
  const head: VersionSummary | null = (await ports.documents.read('heads', id, 'head'))?.document.head ?? null;
  const scheduler = (await ports.documents.read('schedulers', id, 'scheduler'))?.document;
  return {
    project,
    head,
    run: scheduler?.active?.run ?? null,
    waitingFor: whyIdle(settings, head, scheduler, ports.clock.now(), ports),
    counts: await count(ports, id),
    lookAlikes: lookAlikes([...settings.classes, ...Object.keys(head?.byClass ?? {})]).slice(0, maxLookAlikes),
  };
}

async function count({ documents }: StatusPorts, project: string) {
  const [samples, versions, trainings, models, ...uploads] = await Promise.all([
    documents.count('samples', { equals: { project } }),
    documents.count('versions', { pk: project }),
    documents.count('runs', { pk: project }),
    documents.count('models', { pk: project }),
    ...uploadStates.map((status) => documents.count('uploads', { equals: { project, status } })),
  ]);
  const byState = Object.fromEntries(uploadStates.map((state, i) => [state, uploads[i] ?? 0]));
  return { uploads: byState as Record<UploadDocument['status'], number>, samples, versions, trainings, models };
}
