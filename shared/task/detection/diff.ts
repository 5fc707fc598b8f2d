/** What changed between two annotations of one picture, box by box. */
import type { AnnotatedBox, Boxes } from './annotation.ts';
import { iou } from './box.ts';

interface Pair {
  before: AnnotatedBox;
  after: AnnotatedBox;
}

export interface BoxChanges {
  added: AnnotatedBox[];
  removed: AnnotatedBox[];
  /** of the same class, and about where it was */
  moved: Pair[];
  /** about where it was, and of another class */
  relabelled: Pair[];
}

/** two boxes that overlap by more are of the same object */
const sameObject = 0.5;
/** looked at for one box, those that it overlaps most: of 2,000 in one place there are four million pairs */
const mostPartners = 20;

const textOf = ({ class: name, x, y, width, height, crowd }: AnnotatedBox): string =>
  JSON.stringify([name, x, y, width, height, crowd === true]);

/**
 * Pairs what is left of both annotations by how much it overlaps, boxes of one class first. What finds no other is added or
 * removed. Takes time with the product of their numbers.
 */
export function changesOf({ boxes: before }: Boxes, { boxes: after }: Boxes): BoxChanges {
  const [oldTexts, newTexts] = [new Set(before.map(textOf)), new Set(after.map(textOf))];
  const gone = before.filter((box) => !newTexts.has(textOf(box)));
  const come = after.filter((box) => !oldTexts.has(textOf(box)));
  const moved = pair(gone, come, (a, b) => a.class === b.class);
  const relabelled = pair(without(gone, moved, 'before'), without(come, moved, 'after'), (a, b) => a.class !== b.class);
  const paired = [...moved, ...relabelled];
  return { added: without(come, paired, 'after'), removed: without(gone, paired, 'before'), moved, relabelled };
}

function without(boxes: readonly AnnotatedBox[], pairs: readonly Pair[], side: keyof Pair): AnnotatedBox[] {
  const taken = new Set(pairs.map((one) => one[side]));
  return boxes.filter((box) => !taken.has(box));
}

/** Pairs of those that fit, each box once, those that overlap most first. */
function pair(
  before: readonly AnnotatedBox[],
  after: readonly AnnotatedBox[],
  fit: (a: AnnotatedBox, b: AnnotatedBox) => boolean,
): Pair[] {
  const candidates = before.flatMap((a) => {
    const partners = after.flatMap((b) => {
      const overlap = fit(a, b) ? iou(a, b) : 0;
      return overlap > sameObject ? [{ before: a, after: b, overlap }] : [];
    });
    return partners.sort((one, other) => other.overlap - one.overlap).slice(0, mostPartners);
  });
  const taken = new Set<AnnotatedBox>();
  return candidates
    .sort((a, b) => b.overlap - a.overlap)
    .flatMap(({ before: a, after: b }) => {
      if (taken.has(a) || taken.has(b)) return [];
      taken.add(a).add(b);
      return [{ before: a, after: b }];
    });
}
