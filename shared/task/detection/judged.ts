/** What became of each detection of a picture at every IoU and every size, in 14 bytes each. */
import { match, overlaps, type SizeRange, type Truth } from './match.ts';
import type { Detection } from './nms.ts';

/** IoU at which a detection is right: 0.50, 0.55 .. 0.95. */
export const thresholds = Array.from({ length: 10 }, (_, i) => (50 + 5 * i) / 100);

/** COCO's sizes, in pixels that an object covers; what is on a border belongs to both sides. */
export const sizes: Readonly<Record<'all' | 'small' | 'medium' | 'large', SizeRange>> = {
  all: { least: 0, most: 1e10 },
  small: { least: 0, most: 32 ** 2 },
  medium: { least: 32 ** 2, most: 96 ** 2 },
  large: { least: 96 ** 2, most: 1e10 },
};
const ranges = Object.values(sizes);

/** detections of a class in one picture that count */
export const maxDetections = 100;

/** class (u16), score (f32), and for each size a u16 whose digit to base 3 for each threshold is an outcome of match.ts */
const recordBytes = 2 + 4 + 2 * ranges.length;
const base = 3;
const powers = thresholds.map((_, t) => base ** t);

/** The outcome at one threshold. */
export const outcomeAt = (code: number, threshold: number): number =>
  Math.floor(code / (powers[threshold] ?? 1)) % base;

/** Judges the detections of one picture, the surest first, by the truths of each class; base64 of a record for each. */
export function judge(detections: readonly Detection[], truths: readonly (readonly Truth[])[]): string {
  const classes = [...new Set(detections.map((one) => one.class))].sort((a, b) => a - b);
  return Buffer.concat(
    classes.map((index) => {
      const ofClass = detections.filter((one) => one.class === index).slice(0, maxDetections);
      return judgeClass(index, ofClass, truths[index] ?? []);
    }),
  ).toString('base64');
}

function judgeClass(index: number, detections: readonly Detection[], truths: readonly Truth[]): Buffer {
  const boxes = detections.map(({ box }) => box);
  const ious = overlaps(boxes, truths);
  const records = Buffer.alloc(detections.length * recordBytes);
  const codes = ranges.map((size) => {
    const ofSize = new Uint16Array(detections.length);
    for (const [t, threshold] of thresholds.entries()) {
      const { detections: outcomes } = match(boxes, truths, ious, { threshold, size });
      for (const [d, outcome] of outcomes.entries()) ofSize[d] = (ofSize[d] ?? 0) + outcome * (powers[t] ?? 0);
    }
    return ofSize;
  });
  for (const [d, { score }] of detections.entries()) {
    let at = records.writeUInt16LE(index, d * recordBytes);
    at = records.writeFloatLE(score, at);
    for (const ofSize of codes) at = records.writeUInt16LE(ofSize[d] ?? 0, at);
  }
  return records;
}

/** The judged detections of one class, of many pictures: columns of the same length, of each picture the surest first. */
export interface JudgedClass {
  scores: Float32Array;
  /** how many of the class in its picture are surer */
  ranks: Uint8Array;
  /** by size, in the order of `sizes` */
  codes: Uint16Array[];
}

/** Of a class that no picture has detections of. */
export const noDetections: JudgedClass = {
  scores: new Float32Array(),
  ranks: new Uint8Array(),
  codes: ranges.map(() => new Uint16Array()),
};

/** The records of all pictures, class by class. They are read twice, so that no more than their columns is held beside them. */
export function readJudged(pictures: readonly string[], classes: number): JudgedClass[] {
  const counts = new Uint32Array(classes);
  for (const text of pictures) for (const { index } of recordsOf(text)) counts[index] = (counts[index] ?? 0) + 1;
  const columns = Array.from(counts, (count): JudgedClass => ({
    scores: new Float32Array(count),
    ranks: new Uint8Array(count),
    codes: ranges.map(() => new Uint16Array(count)),
  }));
  const filled = new Uint32Array(classes);
  for (const text of pictures) {
    let [before, rank] = [-1, 0];
    for (const { index, records, at } of recordsOf(text)) {
      rank = index === before ? rank + 1 : 0;
      before = index;
      const column = columns[index];
      const row = filled[index] ?? 0;
      if (column === undefined) continue;
      column.scores[row] = records.readFloatLE(at + 2);
      column.ranks[row] = rank;
      for (const [s, codes] of column.codes.entries()) codes[row] = records.readUInt16LE(at + 6 + 2 * s);
      filled[index] = row + 1;
    }
  }
  return columns;
}

function* recordsOf(text: string): Generator<{ index: number; records: Buffer; at: number }> {
  const records = Buffer.from(text, 'base64');
  for (let at = 0; at + recordBytes <= records.length; at += recordBytes)
    yield { index: records.readUInt16LE(at), records, at };
}
