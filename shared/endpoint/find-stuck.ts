/** Finding a canary that nobody decides on. */
import type { Ports } from '../ports.ts';
import { isLongAgo, type Stuck } from '../project/stuck.ts';

/** beyond the end of its trial */
const canarySeconds = 300;

/** The canary, when its trial is long over. */
export async function findStuckCanary(ports: Pick<Ports, 'clock' | 'documents'>, project: string): Promise<Stuck[]> {
  const canary = (await ports.documents.read('endpoints', project, 'endpoint'))?.document.canary;
  if (!canary || !isLongAgo(ports, canary.endsAt, canarySeconds)) return [];
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
