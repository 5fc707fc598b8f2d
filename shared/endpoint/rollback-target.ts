/** Where a rollback leads. */
import { type Endpoint, type Target, targetOf } from './endpoint.ts';

/**
 * The target that a rollback leads to: of the models that were live, the last that is neither live now nor rolled back since, nor one
 * of the `rejected` numbers; null: there is none.
 */
export function rollbackTarget(
  { production, previous, history }: Endpoint,
  rejected: readonly number[] = [],
): Target | null {
  const passedOver = new Set(production === null ? [] : [production.digest]);
  for (const served of history) {
    if (passedOver.has(served.digest)) continue;
    const isLive = served.state === 'live';
    if (isLive && !rejected.includes(served.model)) return targetOf(served);
    if (isLive || served.state === 'rolled-back') passedOver.add(served.digest);
  }
  // the history is finite: what was live may have no record any more
  return previous === null || passedOver.has(previous.digest) || rejected.includes(previous.model) ? null : previous;
}
