/** What limits the trainings of a project: how many begin on a day, what they may cost, and how close they follow. */

export interface Limits {
  maxPerDay: number;
  computeSecondsPerDay: number;
  cooldownSeconds: number;
}

/** What has been used of the limits. */
export interface Usage {
  /** runs begun on the UTC day `day` */
  day: string;
  startedToday: number;
  /** seconds that runs which ended on `day` kept compute busy */
  computeSecondsToday: number;
  lastStartedAt: string | null;
}

export type LimitCode = 'daily-limit' | 'compute-limit' | 'cooldown';

/** Limits that bind a request: an operator who asks has decided, so the cooldown is for the policy alone. */
export const limitsFor = (retrain: Limits, requestedBy: string): Limits => ({
  maxPerDay: retrain.maxPerDay,
  computeSecondsPerDay: retrain.computeSecondsPerDay,
  cooldownSeconds: requestedBy === 'policy' ? retrain.cooldownSeconds : 0,
});

/** The usage counted for today. The day never goes back: clocks that differ at midnight reset nothing. */
export function usageToday<U extends Usage>(usage: U, now: Date): U {
  const day = now.toISOString().slice(0, 10);
  return day > usage.day ? { ...usage, day, startedToday: 0, computeSecondsToday: 0 } : usage;
}

/** Seconds until the limits allow another start; 0 when they do now. */
export function secondsUntilAllowed(usage: Usage, limits: Limits, now: Date): { seconds: number; code: LimitCode } {
  const { day, startedToday, computeSecondsToday, lastStartedAt } = usageToday(usage, now);
  const midnight = Date.parse(`${day}T00:00:00Z`) + 86_400_000;
  const untilMidnight = Math.ceil((midnight - now.getTime()) / 1000);
  if (startedToday >= limits.maxPerDay) return { seconds: untilMidnight, code: 'daily-limit' };
  if (computeSecondsToday >= limits.computeSecondsPerDay) return { seconds: untilMidnight, code: 'compute-limit' };
  if (lastStartedAt !== null && limits.cooldownSeconds > 0) {
    const left = Date.parse(lastStartedAt) + limits.cooldownSeconds * 1000 - now.getTime();
    if (left > 0) return { seconds: Math.ceil(left / 1000), code: 'cooldown' };
  }
  return { seconds: 0, code: 'cooldown' };
}

/** Which limit holds a start back for so many seconds, and what can be done about it. */
export const whyHeldBack: Record<LimitCode, (limits: Limits, seconds: number) => string> = {
  'daily-limit': ({ maxPerDay }, seconds) =>
    `all ${maxPerDay} trainings of today are used; raise retrain.maxPerDay or wait ${seconds} s`,
  'compute-limit': ({ computeSecondsPerDay }, seconds) =>
    `today's trainings used up ${computeSecondsPerDay} s of compute; raise retrain.computeSecondsPerDay or wait ${seconds} s`,
  cooldown: ({ cooldownSeconds }, seconds) =>
    `the last training began less than ${cooldownSeconds} s ago; wait ${seconds} s or lower retrain.cooldownSeconds`,
};
