/** A canary on trial: its numbers decide whether it is promoted or returned. */
import pMap from 'p-map';
import type * as z from 'zod';
import { applyToEndpoint } from './apply.ts';
import { nextCheck } from './follow-ups.ts';
import type { Canary } from './endpoint.ts';
import type { canaryCheck, Cause } from '../delivery/message.ts';
import { sendOnce } from '../delivery/send-once.ts';
import type { Ports } from '../ports.ts';

type CanaryPorts = Pick<Ports, 'clock' | 'documents' | 'messages'>;

const predictionShards = [...Array(16).keys()].map((n) => n.toString(16));
/** Errors count after this many requests, should the trial ask for more. */
const enoughForErrors = 20;

/** Checks a canary, and plans the next check while its trial lasts. */
export async function checkCanary(
  ports: CanaryPorts,
  message: z.infer<typeof canaryCheck>,
): Promise<{ outcome: string }> {
  const { project, deployment } = message.data;
  const canary = (await ports.documents.read('endpoints', project, 'endpoint'))?.document.canary;
  if (!canary || canary.deployment !== deployment) return { outcome: 'over' };
  const outcome = await decideCanary(ports, project, canary, message);
  if (outcome !== 'watching') return { outcome };
  const now = ports.clock.now();
  const next = nextCheck(project, canary, now, message);
  if (next === undefined) return { outcome: 'left-to-the-sweep' };
  await sendOnce(ports, next);
  return { outcome };
}

/** Ends a trial when its numbers say so: too many errors return the model, time and enough good requests promote it. */
export async function decideCanary(
  ports: CanaryPorts,
  project: string,
  canary: Canary,
  cause: Cause,
): Promise<'returned' | 'promoted' | 'watching'> {
  const { deployment, minRequests, maxErrorRate, endsAt } = canary;
  const { requests, errors } = await canaryNumbers(ports, project, deployment);
  const at = ports.clock.now().toISOString();
  const numbers = `${errors} errors in ${requests} requests`;
  if (requests >= Math.min(minRequests, enoughForErrors) && errors / requests > maxErrorRate) {
    await applyToEndpoint(ports, project, { kind: 'return', deployment, reason: numbers, at }, cause);
    return 'returned';
  }
  if (at < endsAt || requests < minRequests) return 'watching';
  await applyToEndpoint(ports, project, { kind: 'promote', deployment, reason: numbers, at }, cause);
  return 'promoted';
}

async function canaryNumbers(
  ports: CanaryPorts,
  project: string,
  deployment: string,
): Promise<{ requests: number; errors: number }> {
  const counts = await pMap(
    predictionShards,
    async (shard) => {
      const pk = `${project}:${shard}`;
      const requests = await ports.documents.count('predictions', { pk, equals: { deployment } });
      const good = await ports.documents.count('predictions', { pk, equals: { deployment, error: null } });
      return { requests, errors: requests - good };
    },
    { concurrency: 4 },
  );
  return counts.reduce((a, b) => ({ requests: a.requests + b.requests, errors: a.errors + b.errors }), {
    requests: 0,
    errors: 0,
  });
}
