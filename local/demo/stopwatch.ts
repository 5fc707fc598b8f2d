/** Measures the stages of the story. */

export interface Stopwatch {
  /** Runs a stage and keeps its seconds, also when it fails. */
  stage<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** seconds per stage in the order they began, and `total` since the start, to a tenth */
  seconds(): Record<string, number>;
}

const tenths = (ms: number): number => Math.round(ms / 100) / 10;

/** A stopwatch that runs from now on. */
export function createStopwatch(now: () => number = () => performance.now()): Stopwatch {
  const startedAt = now();
  const stages = new Map<string, number>();
  return {
    async stage(name, work) {
      const from = now();
      stages.set(name, 0);
      try {
        return await work();
      } finally {
        stages.set(name, now() - from);
      }
    },
    seconds: () => ({
      total: tenths(now() - startedAt),
      ...Object.fromEntries([...stages].map(([name, ms]) => [name, tenths(ms)])),
    }),
  };
}
