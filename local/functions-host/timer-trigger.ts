/** Runs one function on its schedule, in UTC. Two hosts with the same timer both run it: give timers to one host only. */
import { parseSchedule } from './cron.ts';
import type { Invoke } from './invoker.ts';
import type { RegisteredFunction, TimerTrigger } from './registered-function.ts';
import { expandSettings } from './settings.ts';

/** setTimeout overflows after 24.8 days, and clocks are set: look again after an hour at most */
const longestWaitMs = 3_600_000;

export interface RunningTimer {
  /** Runs the function now, waits for its end, rejects with its error. */
  run(): Promise<void>;
  stop(): void;
}

/** Arms the timer of a function; throws when its schedule cannot be read. Runs never overlap; missed ones are not made up for. */
export function startTimerTrigger(options: {
  function: RegisteredFunction<TimerTrigger>;
  settings: Record<string, string>;
  invoke: Invoke;
}): RunningTimer {
  const { trigger } = options.function;
  const schedule = parseSchedule(expandSettings(trigger.schedule, options.settings));
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let last: Date | undefined;

  const run = async () => {
    const now = new Date();
    const status = {
      Last: (last ?? new Date(0)).toISOString(),
      LastUpdated: (last ?? now).toISOString(),
      Next: schedule.nextRun(now)?.toISOString(),
    };
    last = now;
    const info = {
      Schedule: { AdjustForDST: true },
      ScheduleStatus: trigger.useMonitor ? status : null,
      IsPastDue: false,
    };
    await options.invoke(options.function, { data: { json: JSON.stringify(info) }, triggerMetadata: {} });
  };

  const runScheduled = () => run().catch(() => {}); // logged by invoke

  const arm = (due: Date | null) => {
    if (stopped || !due) return;
    const waitMs = Math.min(longestWaitMs, Math.max(0, due.getTime() - Date.now()));
    timer = setTimeout(() => {
      if (Date.now() < due.getTime()) arm(due);
      else void runScheduled().then(() => arm(schedule.nextRun(new Date())));
    }, waitMs);
  };

  const armNext = () => arm(schedule.nextRun(new Date()));
  if (trigger.runOnStartup) void runScheduled().then(armNext);
  else armNext();
  return {
    run,
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
