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
export declare const limitsFor: (retrain: Limits, requestedBy: string) => Limits;
/** The usage counted for today. The day never goes back: clocks that differ at midnight reset nothing. */
export declare function usageToday<U extends Usage>(usage: U, now: Date): U;
/** Seconds until the limits allow another start; 0 when they do now. */
export declare function secondsUntilAllowed(
  usage: Usage,
  limits: Limits,
  now: Date,
): {
  seconds: number;
  code: LimitCode;
};
/** Which limit holds a start back for so many seconds, and what can be done about it. */
export declare const whyHeldBack: Record<LimitCode, (limits: Limits, seconds: number) => string>;
