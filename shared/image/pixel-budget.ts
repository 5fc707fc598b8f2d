/** Shares a number of pixels between concurrent decodes, first come first served. */
export type PixelBudget = {
  /**
   * Waits until `pixels` are free and takes them; more than the whole budget counts as the whole budget.
   * Resolves to the function that gives them back (once, later calls do nothing).
   * Rejects with an Error, worth a retry later, when too many wait already.
   */
  take(pixels: number): Promise<() => void>;
};

/** A process that has this many images waiting in memory is overloaded: the queue must hold them, not we. */
const maxWaiting = 256;

/** Creates a budget of `totalPixels`. A big request is never overtaken by small ones behind it. */
export function createPixelBudget(totalPixels: number): PixelBudget {
  let free = totalPixels;
  const waiting: { cost: number; start: () => void }[] = [];

  const startWaiting = () => {
    for (let next = waiting[0]; next && next.cost <= free; next = waiting[0]) {
      waiting.shift();
      free -= next.cost;
      next.start();
    }
  };
  const releaseOnce = (cost: number) => {
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      free += cost;
      startWaiting();
    };
  };

  return {
    async take(pixels) {
      const cost = Math.min(pixels, totalPixels);
      if (waiting.length >= maxWaiting)
        throw new Error(`${maxWaiting} images wait to be decoded already; try again later`);
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push({ cost, start: resolve });
      startWaiting();
      await promise;
      return releaseOnce(cost);
    },
  };
}
