/** How often a key may call, and how often a project may be called. */
import { Problem } from '../../shared/api/problem.ts';
import type { Clock } from '../../shared/ports.ts';
import { createBuckets, type Rate, type RateLimits, type Taken } from '../../shared/rate-limit.ts';

/** keys and projects that one process keeps count of */
const maxNames = 10_000;

type Limited = 'key' | 'project';

/**
 * Counts one call of a key (by its id) or of a project, and writes into `headers` what is left, as
 * https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/10 has it. Throws a 429 when nothing is.
 */
export type Limit = (what: Limited, name: string, headers: Record<string, string>) => void;

const policyOf = (what: Limited, { perSecond, burst }: Rate): string =>
  `"${what}";q=${burst};w=${Math.ceil(burst / perSecond)}`;

const refusal = (what: Limited, { perSecond }: Rate, { againInSeconds }: Taken): Problem => {
  const whose = what === 'key' ? 'This key calls' : 'The keys of this project together call';
  const detail = `${whose} more than ${perSecond} times a second. Wait ${againInSeconds} s, and call less often.`;
  return new Problem(429, 'rate-limited', detail, { retryAfterSeconds: againInSeconds });
};

/** Creates the counters of one process. */
export function createLimit(clock: Clock, rates: RateLimits): Limit {
  const buckets = { key: createBuckets(rates.key, maxNames), project: createBuckets(rates.project, maxNames) };
  const policies = { key: policyOf('key', rates.key), project: policyOf('project', rates.project) };
  const append = (headers: Record<string, string>, name: string, value: string): void => {
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  };
  return (what, name, headers) => {
    const taken = buckets[what].take(name, clock.now().getTime());
    append(headers, 'ratelimit-policy', policies[what]);
    append(headers, 'ratelimit', `"${what}";r=${taken.remaining};t=${taken.fullInSeconds}`);
    if (!taken.allowed) throw refusal(what, rates[what], taken);
  };
}
