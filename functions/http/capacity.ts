/** What all requests of a process share: room for images, and for bodies and answers that are slow. */
import { createBudget, type Share } from '../../shared/budget.ts';
import type { Route } from './route.ts';

/** bytes of images to score that one process holds at a time, and those of one key: half are always for others */
const maxBodiesBytes = 64 * 1024 * 1024;
const maxBodiesBytesOfKey = 32 * 1024 * 1024;
/** most images to score are smaller: they do not wait behind a large one that waits for room */
const smallBodyBytes = 256 * 1024;
/** Of the 16 requests that Azure hands to an instance at a time, some are always for other keys. */
const maxSlowBodiesOfKey = 12;
const maxSlowAnswersOfKey = 12;
/** Each costs little more than a connection, of which there are many more. */
const maxSlow = 512;

/** Of this capacity what one request of a key has; it begins with nothing. */
export interface Capacity {
  /**
   * Of bytes in memory, for routes that take an image, and of slow bodies. Taken as bytes arrive, not before: who
   * announces much and sends nothing keeps nobody from being served.
   */
  ofBody: (route: Route, key: string) => { bytes: Share | undefined; slow: Share };
  /** of slow answers */
  ofAnswer: (key: string) => Share;
}

/** Creates the capacity of one process. */
export function createCapacity(): Capacity {
  const imageBytes = createBudget(maxBodiesBytes, { passing: smallBodyBytes, perOwner: maxBodiesBytesOfKey });
  const slowBodies = createBudget(maxSlow, { perOwner: maxSlowBodiesOfKey });
  const slowAnswers = createBudget(maxSlow, { perOwner: maxSlowAnswersOfKey });
  return {
    ofBody: ({ takes }, key) => ({
      bytes: takes === 'image' ? imageBytes.share(key) : undefined,
      slow: slowBodies.share(key),
    }),
    ofAnswer: (key) => slowAnswers.share(key),
  };
}
