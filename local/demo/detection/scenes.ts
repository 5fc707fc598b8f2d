/** Scenes to detect objects in: clip art of four classes, turned and of many sizes, on cluttered backgrounds, among other things. */
import sharp from 'sharp';
import { type ClipArt, clutterNames, objectNames, readClipArt } from './clip-art.ts';

/** What a scene shows: its class, and the smallest upright box around it, in pixels. */
export interface SceneBox {
  class: string;
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Scene {
  name: string;
  contentType: 'image/jpeg';
  /** none: nothing to find, a negative image */
  boxes: SceneBox[];
  width: number;
  height: number;
  bytes(): Promise<Buffer>;
}

const sizes = [
  [480, 360],
  [360, 480],
  [400, 400],
  [448, 336],
] as const;
const mostObjects = 6;
const mostClutter = 4;
/** of scenes */
const negativeShare = 0.05;
/** of the longer side of a scene, before it is turned */
const [leastSide, mostSide] = [0.13, 0.42];
/** degrees */
const mostTurned = 35;
/** of the smaller of two boxes */
const mostOverlap = 0.2;
const placesTried = 40;

/** Uniform in [0, 1): mulberry32 (Tommy Ettinger), so that the same scenes come every time. */
function createDice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A dice with what is drawn of it: whole numbers, numbers between two, members of a list, colours. */
function drawing(seed: number) {
  const next = createDice(seed);
  const between = (least: number, most: number): number => least + (most - least) * next();
  const whole = (least: number, most: number): number => Math.floor(between(least, most + 1));
  return {
    next,
    between,
    whole,
    one: <T>(list: readonly T[]): T => list[whole(0, list.length - 1)] as T,
    colour: (): string => `hsl(${whole(0, 359)},${whole(10, 70)}%,${whole(25, 90)}%)`,
  };
}
type Dice = ReturnType<typeof drawing>;

/** Whatever may stand behind the objects: two colours that blend, and shapes that are nothing. */
function background(dice: Dice, width: number, height: number): string {
  const { between, whole, one, colour } = dice;
  const shape = (): string => {
    const at = `${between(0, width)} ${between(0, height)}`;
    const size = between(15, 120);
    const path = one([
      () => `M${at}h${size}v${between(10, 120)}h${-size}z`,
      () => `M${at}a${size / 2} ${size / 2} 0 1 0 1 0z`,
      () => `M${at}l${size} ${between(-60, 60)}l${-size / 2} ${between(-60, 60)}z`,
    ])();
    return `<path d="${path}" fill="${colour()}" opacity="${between(0.3, 0.9)}"/>`;
  };
  const line = (): string =>
    `<path d="M${between(0, width)} ${between(0, height)}L${between(0, width)} ${between(0, height)}" stroke="${colour()}" stroke-width="${between(1, 6)}" opacity="0.7"/>`;
  return [
    `<linearGradient id="blend" gradientTransform="rotate(${whole(0, 90)})"><stop stop-color="${colour()}"/><stop offset="1" stop-color="${colour()}"/></linearGradient>`,
    `<rect width="${width}" height="${height}" fill="url(#blend)"/>`,
    ...Array.from({ length: whole(4, 14) }, shape),
    ...Array.from({ length: whole(0, 8) }, line),
  ].join('');
}

type Placed = Omit<SceneBox, 'class'> & { svg: string };

/** Turns and sizes a picture, and finds a place that covers little of what is there. Undefined: there is none. */
function place(
  art: ClipArt,
  dice: Dice,
  { width, height }: { width: number; height: number },
  others: readonly Placed[],
): Placed | undefined {
  const turn = dice.between(-mostTurned, mostTurned);
  const mirror = dice.next() < 0.5 ? -1 : 1;
  // evenly by octave: small ones are as frequent as large ones
  const scale = (Math.max(width, height) * leastSide * (mostSide / leastSide) ** dice.next()) / art.side;
  const [cosine, sine] = [Math.cos((turn * Math.PI) / 180) * scale, Math.sin((turn * Math.PI) / 180) * scale];
  const xs = art.outline.map(([x, y]) => mirror * x * cosine - y * sine);
  const ys = art.outline.map(([x, y]) => mirror * x * sine + y * cosine);
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  for (let tried = 0; tried < placesTried; tried++) {
    const x = dice.between(-left, width - right);
    const y = dice.between(-top, height - bottom);
    const box = { x: x + left, y: y + top, width: right - left, height: bottom - top };
    if (others.some((other) => overlap(box, other) > mostOverlap)) continue;
    const half = -art.side / 2;
    const svg = `<g transform="translate(${x} ${y}) rotate(${turn}) scale(${mirror * scale} ${scale}) translate(${half} ${half})">${art.body}</g>`;
    return { ...box, svg };
  }
  return undefined;
}

/** What two boxes share, as a part of the smaller one. */
function overlap(a: Omit<Placed, 'svg'>, b: Omit<Placed, 'svg'>): number {
  const across = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const down = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  return (Math.max(0, across) * Math.max(0, down)) / Math.min(a.width * a.height, b.width * b.height);
}

/** The scenes with these numbers; the same number is the same scene, to the byte on one machine. */
export async function readScenes(from: number, to: number): Promise<Scene[]> {
  const objects: (readonly [string, ClipArt[]])[] = [];
  for (const [name, names] of Object.entries(objectNames)) objects.push([name, await readClipArt(names)]);
  const clutter = await readClipArt(clutterNames);
  return Array.from({ length: to - from }, (_, i) => compose(from + i, objects, clutter));
}

function compose(number: number, objects: readonly (readonly [string, ClipArt[]])[], clutter: ClipArt[]): Scene {
  const dice = drawing(number);
  const [width, height] = dice.one(sizes);
  const behind = background(dice, width, height);
  const placed: Placed[] = [];
  const boxes: SceneBox[] = [];
  const isNegative = dice.next() < negativeShare;
  for (let left = isNegative ? 0 : dice.whole(1, mostObjects); left > 0; left--) {
    const [name, pictures] = dice.one(objects);
    const object = place(dice.one(pictures), dice, { width, height }, placed);
    if (object === undefined) continue;
    placed.push(object);
    const { x, y, width: across, height: down } = object;
    boxes.push({ class: name, x, y, width: across, height: down });
  }
  for (let left = dice.whole(isNegative ? 1 : 0, mostClutter); left > 0; left--) {
    const thing = place(dice.one(clutter), dice, { width, height }, placed);
    if (thing !== undefined) placed.push(thing);
  }
  const light = { brightness: dice.between(0.75, 1.15), saturation: dice.between(0.6, 1.2) };
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${behind}${placed.map((one) => one.svg).join('')}</svg>`;
  return {
    name: `scene-${String(number).padStart(4, '0')}.jpg`,
    contentType: 'image/jpeg',
    boxes,
    width,
    height,
    bytes: () => sharp(Buffer.from(svg)).removeAlpha().modulate(light).jpeg({ quality: 85 }).toBuffer(),
  };
}
