/** Choosing which deployment answers a request. */
import type { Endpoint, Target } from './endpoint.ts';

/** Which target answers a request: the canary gets its share, chosen by a number in [0, 1). */
export function chooseTarget(
  endpoint: Endpoint,
  dice: number,
): { target: Target; role: 'production' | 'canary' } | undefined {
  if (endpoint.canary !== null && dice * 100 < endpoint.canary.percent)
    return { target: endpoint.canary, role: 'canary' };
  return endpoint.production === null ? undefined : { target: endpoint.production, role: 'production' };
}
