/** What the network is to answer for a picture with boxes, on the places of its heat map. */
import { stride, type MapSize } from './head.ts';

/** A box in pixels of the input: its class and two corners. A crowd is many objects in one box, not to be told apart. */
export interface TargetBox {
  label: number;
  x1: number;
  y1: number;
  x2: number;
  y2: number;
  /** nothing is learned from what it covers: a crowd, or an object of which too little is left to see */
  ignored: boolean;
}

/** Weights and targets of one picture or of a batch, picture after picture; each `[classes or 4 or 1, rows, columns]`. */
export interface Targets {
  /** 1 at centres */
  centres: Float32Array;
  /** how much it counts that there is no centre: less, the nearer one is */
  elsewhere: Float32Array;
  box: Float32Array;
  boxWeight: Float32Array;
}

/** Sides of boxes are learned as logarithms of their share of this many pixels. */
export const usualSide = 64;

/** Bell widths: of its box's sides, this part is one standard deviation (a radius of a third of the side is three of them). */
const deviationShare = 0.1;
/** in places: a bell narrower than that is a single place */
const leastDeviation = 0.5;
/** places whose bell is at least this high learn the box as well: those beside the centre, and more of large objects */
const leastForBox = 0.2;
/** power of CornerNet's penalty reduction (Law and Deng 2018, equation 1) */
const reduction = 4;

/** No targets, of so many pictures. */
export function emptyTargets(pictures: number, classes: number, { rows, columns }: MapSize): Targets {
  const places = pictures * rows * columns;
  return {
    centres: new Float32Array(places * classes),
    elsewhere: new Float32Array(places * classes),
    box: new Float32Array(places * 4),
    boxWeight: new Float32Array(places),
  };
}

/** Writes the targets of picture number `index` of a batch over what is there. */
export function writeTargets(
  targets: Targets,
  index: number,
  boxes: readonly TargetBox[],
  classes: number,
  size: MapSize,
): void {
  const places = size.rows * size.columns;
  const picture: Targets = {
    centres: targets.centres.subarray(index * places * classes, (index + 1) * places * classes).fill(0),
    elsewhere: targets.elsewhere.subarray(index * places * classes, (index + 1) * places * classes).fill(1),
    box: targets.box.subarray(index * places * 4, (index + 1) * places * 4).fill(0),
    boxWeight: targets.boxWeight.subarray(index * places, (index + 1) * places).fill(0),
  };
  for (const box of boxes) if (box.ignored) ignore(picture.elsewhere, box, size);
  // the smallest last: where objects lie on each other, a place belongs to the smaller one, which has fewer
  const area = ({ x1, y1, x2, y2 }: TargetBox): number => (x2 - x1) * (y2 - y1);
  const taught = boxes.filter(({ ignored }) => !ignored).sort((a, b) => area(b) - area(a));
  for (const box of taught) writeBox(picture, box, size);
  // a place is a centre or it is not, whatever lies near
  picture.centres.forEach((centre, i) => {
    if (centre === 1) picture.elsewhere[i] = 0;
  });
}

function ignore(elsewhere: Float32Array, { label, x1, y1, x2, y2 }: TargetBox, { rows, columns }: MapSize): void {
  const from = label * rows * columns;
  for (let row = Math.max(0, Math.floor(y1 / stride)); row < Math.min(rows, Math.ceil(y2 / stride)); row++) {
    const [left, right] = [Math.max(0, Math.floor(x1 / stride)), Math.min(columns, Math.ceil(x2 / stride))];
    elsewhere.fill(0, from + row * columns + left, from + row * columns + Math.max(left, right));
  }
}

function writeBox(picture: Targets, box: TargetBox, { rows, columns }: MapSize): void {
  const { label, x1, y1, x2, y2 } = box;
  const places = rows * columns;
  const [x, y] = [(x1 + x2) / 2 / stride, (y1 + y2) / 2 / stride];
  const column = Math.min(columns - 1, Math.max(0, Math.floor(x)));
  const row = Math.min(rows - 1, Math.max(0, Math.floor(y)));
  const deviationX = Math.max(leastDeviation, (deviationShare * (x2 - x1)) / stride);
  const deviationY = Math.max(leastDeviation, (deviationShare * (y2 - y1)) / stride);
  const reachX = Math.ceil(3 * deviationX);
  const reachY = Math.ceil(3 * deviationY);
  picture.centres[label * places + row * columns + column] = 1;
  for (let down = Math.max(0, row - reachY); down <= Math.min(rows - 1, row + reachY); down++) {
    for (let right = Math.max(0, column - reachX); right <= Math.min(columns - 1, column + reachX); right++) {
      const bell = Math.exp(-(((right - column) / deviationX) ** 2) / 2 - ((down - row) / deviationY) ** 2 / 2);
      const place = down * columns + right;
      const at = label * places + place;
      picture.elsewhere[at] = Math.min(picture.elsewhere[at] ?? 1, (1 - bell) ** reduction);
      if (bell < leastForBox) continue;
      picture.boxWeight[place] = bell;
      const numbers = targetBox(box, down, right);
      numbers.forEach((number, i) => {
        picture.box[i * places + place] = number;
      });
    }
  }
}

/** A box as a place learns it: how far its centre is from that of the place, in strides, and the logarithms of its sides. */
export function targetBox(
  { x1, y1, x2, y2 }: TargetBox,
  row: number,
  column: number,
): [number, number, number, number] {
  return [
    (x1 + x2) / 2 / stride - column - 0.5,
    (y1 + y2) / 2 / stride - row - 0.5,
    Math.log(Math.max(1, x2 - x1) / usualSide),
    Math.log(Math.max(1, y2 - y1) / usualSide),
  ];
}
