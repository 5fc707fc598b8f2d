/** Zoomed, shifted and mirrored copies of training pictures, with their boxes. */
import type { InputShape } from '../../../shared/onnx/ends.ts';
import type { Random } from '../random.ts';
import type { DetectorRecipe } from '../recipes.ts';
import type { TargetBox } from './targets.ts';

type CopyOptions = Pick<DetectorRecipe, 'zoom' | 'shift' | 'flip'>;

/** A picture as the model takes it in: CHW floats 0..255, and what it shows. */
export interface Picture {
  pixels: Float32Array;
  boxes: TargetBox[];
}

/** what lies beside a picture in a letterbox */
const grey = 114;
/** of an object, when less can be seen nothing is learned from it */
const leastVisible = 0.4;

/** From a place of the copy to one of the original: `original = from + step * copy`, across and down. */
interface Window {
  fromX: number;
  stepX: number;
  fromY: number;
  stepY: number;
}

function chooseWindow({ width, height }: InputShape, { zoom, shift, flip }: CopyOptions, random: Random): Window {
  // as often larger as smaller
  const size = (1 + zoom) ** random.around(1);
  const mirrored = random.next() < 0.5 && flip;
  const shown = 1 / size;
  const left = (width * (1 - shown)) / 2 + random.around(shift) * width;
  const top = (height * (1 - shown)) / 2 + random.around(shift) * height;
  const across = mirrored ? { fromX: left + width * shown, stepX: -shown } : { fromX: left, stepX: shown };
  return { ...across, fromY: top, stepY: shown };
}

/** A copy, sampled with bilinear weights; grey where the original has nothing. */
export function copyOf(picture: Picture, shape: InputShape, options: CopyOptions, random: Random): Picture {
  const window = chooseWindow(shape, options, random);
  return {
    pixels: resample(picture.pixels, shape, window),
    boxes: picture.boxes.flatMap((box) => moved(box, window, shape)),
  };
}

/** For each place along one side: the two places it is made of, and how much of the second one; -1 where it is beside the picture. */
function taps(
  length: number,
  from: number,
  step: number,
): { first: Int32Array; second: Int32Array; share: Float32Array } {
  const first = new Int32Array(length).fill(-1);
  const second = new Int32Array(length);
  const share = new Float32Array(length);
  for (let i = 0; i < length; i++) {
    // middles of pixels lie at halves
    const at = from + step * (i + 0.5) - 0.5;
    if (at < -0.5 || at > length - 0.5) continue;
    const clamped = Math.min(length - 1, Math.max(0, at));
    first[i] = Math.floor(clamped);
    second[i] = Math.min(length - 1, Math.floor(clamped) + 1);
    share[i] = clamped - Math.floor(clamped);
  }
  return { first, second, share };
}

function resample(source: Float32Array, { channels, height, width }: InputShape, window: Window): Float32Array {
  const target = new Float32Array(source.length).fill(grey);
  const across = taps(width, window.fromX, window.stepX);
  const down = taps(height, window.fromY, window.stepY);
  for (let row = 0; row < channels * height; row++) {
    const y = row % height;
    const plane = (row - y) * width;
    if ((down.first[y] ?? -1) < 0) continue;
    const upper = plane + (down.first[y] ?? 0) * width;
    const lower = plane + (down.second[y] ?? 0) * width;
    const below = down.share[y] ?? 0;
    for (let x = 0; x < width; x++) {
      const left = across.first[x] ?? -1;
      if (left < 0) continue;
      const right = across.second[x] ?? 0;
      const beside = across.share[x] ?? 0;
      const above = (source[upper + left] ?? 0) * (1 - beside) + (source[upper + right] ?? 0) * beside;
      const under = (source[lower + left] ?? 0) * (1 - beside) + (source[lower + right] ?? 0) * beside;
      target[row * width + x] = above * (1 - below) + under * below;
    }
  }
  return target;
}

/** A box of the original in the copy, cut at its edges; ignored where too little of it is left, and gone where nothing is. */
function moved(box: TargetBox, { fromX, stepX, fromY, stepY }: Window, { width, height }: InputShape): TargetBox[] {
  const xs = [(box.x1 - fromX) / stepX, (box.x2 - fromX) / stepX];
  const ys = [(box.y1 - fromY) / stepY, (box.y2 - fromY) / stepY];
  const [x1, x2] = [Math.min(...xs), Math.max(...xs)];
  const [y1, y2] = [Math.min(...ys), Math.max(...ys)];
  const cut = { x1: Math.max(0, x1), x2: Math.min(width, x2), y1: Math.max(0, y1), y2: Math.min(height, y2) };
  if (cut.x2 <= cut.x1 || cut.y2 <= cut.y1) return [];
  const visible = ((cut.x2 - cut.x1) * (cut.y2 - cut.y1)) / ((x2 - x1) * (y2 - y1));
  return [{ ...box, ...cut, ignored: box.ignored || visible < leastVisible }];
}
