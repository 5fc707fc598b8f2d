/** How many objects of a scene a model found, for whoever looks at the pictures; the gate's metrics come from the backend. */
import type { Scene, SceneBox } from './scenes.ts';

/** A box that a model answered, the surest first. */
export interface Answered extends SceneBox {
  score: number;
}

/** IoU at which a box is around an object */
const foundAt = 0.5;

function iou(a: SceneBox, b: SceneBox): number {
  const across = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const down = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  const common = Math.max(0, across) * Math.max(0, down);
  return common / (a.width * a.height + b.width * b.height - common);
}

/** Objects of a scene, how many of them have a box of their class, and how many boxes are around none. */
export function countFound({ boxes }: Pick<Scene, 'boxes'>, answered: readonly Answered[]) {
  const open = new Set(boxes);
  let found = 0;
  for (const box of answered) {
    const around = [...open].filter((object) => object.class === box.class && iou(object, box) >= foundAt);
    const best = around.sort((a, b) => iou(b, box) - iou(a, box))[0];
    if (best === undefined) continue;
    open.delete(best);
    found += 1;
  }
  return { objects: boxes.length, found, wrong: answered.length - found };
}
