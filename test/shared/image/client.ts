/**
 * A client that follows docs/preprocessing.md and shares nothing with shared/image: no sharp, no function of ours. What it
 * makes of a PNG must be what Darkroom makes of it.
 */

/** Rows from the top, channels side by side. */
export type Picture = {
  width: number;
  height: number;
  /** 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha */
  channels: number;
  bits: 8 | 16;
  values: number[];
};
export type Spec = {
  width: number;
  height: number;
  channels: 1 | 3;
  range?: 'given' | 'found' | undefined;
  shrinkOnLoad?: boolean | undefined;
  fit?: 'stretch' | 'letterbox' | undefined;
};

const greatestOf = ({ bits }: Picture): number => 2 ** bits - 1;
const clamp = (value: number, greatest: number): number => Math.min(greatest, Math.max(0, value));
const f32 = Math.fround;
/** To the nearest whole number, halves to the even one. */
const rint = (value: number): number => {
  const up = Math.floor(value + 0.5);
  return up - value === 0.5 && up % 2 !== 0 ? up - 1 : up;
};

/** Steps 2 to 7, and what stands beside the picture in a letterbox. `orientation` is that of the picture's EXIF. */
export function preprocess(picture: Picture, spec: Spec, orientation = 1): Float32Array {
  if (spec.fit !== 'letterbox') return stretched(picture, spec, orientation);
  const [w, h] = orientation >= 5 ? [picture.height, picture.width] : [picture.width, picture.height];
  const s = Math.min(spec.width / w, spec.height / h);
  const [width, height] = [Math.max(1, Math.round(w * s)), Math.max(1, Math.round(h * s))];
  const part = stretched(picture, { ...spec, width, height }, orientation);
  const tensor = new Float32Array(spec.width * spec.height * spec.channels).fill(114);
  for (let line = 0; line < height * spec.channels; line += 1) {
    const [channel, y] = [Math.floor(line / height), line % height];
    tensor.set(part.subarray(line * width, (line + 1) * width), (channel * spec.height + y) * spec.width);
  }
  return tensor;
}

/** Steps 2 to 7, the shape of the picture not kept. */
function stretched(picture: Picture, spec: Spec, orientation: number): Float32Array {
  const resized =
    spec.shrinkOnLoad === true
      ? resizedAndTurned(picture, spec, orientation)
      : turnedAndResized(picture, spec, orientation);
  const deep = spec.range === 'found' && resized.bits === 16;
  const { width, height, channels, values } = deep ? asDeep(resized, spec.channels) : asEight(resized, spec.channels);
  const tensor = new Float32Array(width * height * channels);
  for (let channel = 0; channel < channels; channel += 1)
    for (let pixel = 0; pixel < width * height; pixel += 1)
      tensor[channel * width * height + pixel] = values[pixel * channels + channel] as number;
  return spec.range === 'found' ? stretch(tensor) : tensor;
}

const turnedAndResized = (picture: Picture, spec: Spec, orientation: number): Picture =>
  resize(onWhite(orient(picture, orientation)), spec, orientation <= 2 ? 10 : spec.height);

/** A JPEG that was shrunk on its way is turned last. */
function resizedAndTurned(picture: Picture, spec: Spec, orientation: number): Picture {
  const stored = orientation >= 5 ? { ...spec, width: spec.height, height: spec.width } : spec;
  return orient(resize(picture, stored, 10), orientation);
}

/** Step 2. */
function orient(picture: Picture, orientation: number): Picture {
  const { width, height, channels, values } = picture;
  const turned = orientation >= 5;
  const shown = { width: turned ? height : width, height: turned ? width : height };
  const oriented: number[] = [];
  for (let y = 0; y < shown.height; y += 1) {
    for (let x = 0; x < shown.width; x += 1) {
      const [u, v] = turned ? [y, x] : [x, y];
      const column = [2, 3, 7, 8].includes(orientation) ? width - 1 - u : u;
      const line = [3, 4, 6, 7].includes(orientation) ? height - 1 - v : v;
      for (let channel = 0; channel < channels; channel += 1)
        oriented.push(values[(line * width + column) * channels + channel] as number);
    }
  }
  return { ...picture, ...shown, values: oriented };
}

/** Step 4. */
function onWhite(picture: Picture): Picture {
  const { channels, values, bits } = picture;
  if (channels === 1 || channels === 3) return picture;
  const most = greatestOf(picture);
  const white = bits === 8 ? 255 : 65_280;
  const colours = channels - 1;
  const laid: number[] = [];
  for (let at = 0; at < values.length; at += channels) {
    const alpha = values[at + colours] as number;
    for (let channel = 0; channel < colours; channel += 1)
      laid.push(Math.trunc(((values[at + channel] as number) * alpha + white * (most - alpha)) / most));
  }
  return { ...picture, channels: colours, values: laid };
}

type Axis = 'x' | 'y';

/** Step 5. */
function resize(picture: Picture, { width, height }: Spec, rowsAtATime: number): Picture {
  let result = picture;
  if (height < picture.height) result = shrink(result, 'y', height, rowsAtATime);
  if (width < picture.width) result = shrink(result, 'x', width, width);
  if (height > picture.height || width > picture.width) result = enlarge(result, width, height);
  return result;
}

/** Calls `work` with every row or column of one channel and puts together what it answers. */
function alongAxis(picture: Picture, axis: Axis, size: number, work: (line: number[]) => number[]): Picture {
  const { width, height, channels, values } = picture;
  const result = { ...picture, ...(axis === 'x' ? { width: size } : { height: size }), values: [] as number[] };
  const across = axis === 'x' ? height : width;
  for (let other = 0; other < across; other += 1) {
    for (let channel = 0; channel < channels; channel += 1) {
      const at = (i: number, wide: number) => (axis === 'x' ? other * wide + i : i * wide + other) * channels + channel;
      const line = Array.from({ length: axis === 'x' ? width : height }, (_, i) => values[at(i, width)] as number);
      work(line).forEach((value, i) => (result.values[at(i, result.width)] = value));
    }
  }
  return result;
}

/** Step 5, where a side becomes shorter. */
function shrink(picture: Picture, axis: Axis, size: number, atATime: number): Picture {
  const from = axis === 'x' ? picture.width : picture.height;
  let factor = 1 / (1 / (from / size));
  let extra = size * factor - from;
  const whole = Math.max(1, Math.floor(from / size / 2));
  let result = picture;
  if (whole > 1) {
    result = alongAxis(picture, axis, Math.ceil(from / whole), (line) => meansOf(line, whole, picture.bits));
    factor /= whole;
    extra /= whole;
  }
  if (factor === 1) return result;
  const points = 2 * rint(3 * factor) + 1;
  const masks = Array.from({ length: 65 }, (_, step) => lanczosMask(points, factor, step / 64));
  const most = greatestOf(picture);
  return alongAxis(result, axis, size, (line) => {
    const reduced: number[] = [];
    let place = 0;
    for (let i = 0; i < size; i += 1) {
      if (i % atATime === 0) place = (i + 0.5) * factor - 0.5 - ((1 + extra) / 2 - 1);
      const mask = masks[((Math.trunc(place * 128) & 127) + 1) >> 1] as number[];
      const first = Math.trunc(place) - (points - 1) / 2;
      const sum = mask.reduce(
        (all, weight, k) => all + weight * (line[clamp(first + k, line.length - 1)] as number),
        2048,
      );
      reduced.push(clamp(sum >> 12, most));
      place += factor;
    }
    return reduced;
  });
}

function meansOf(line: number[], whole: number, bits: 8 | 16): number[] {
  const means: number[] = [];
  for (let at = 0; at < line.length; at += whole) {
    let sum = whole >> 1;
    for (let k = 0; k < whole; k += 1) sum += line[clamp(at + k, line.length - 1)] as number;
    means.push(bits === 8 ? Math.floor((sum * Math.floor(2 ** 24 / whole)) / 2 ** 24) : Math.floor(sum / whole));
  }
  return means;
}

function lanczosMask(points: number, factor: number, fraction: number): number[] {
  const weights = Array.from({ length: points }, (_, i) => {
    const x = (i - (fraction + points / 2 - 1)) / factor;
    if (x === 0) return 1;
    if (x < -3 || x > 3) return 0;
    const [a, b] = [Math.PI * x, (Math.PI * x) / 3];
    return (Math.sin(a) / a) * (Math.sin(b) / b);
  });
  const sum = weights.reduce((all, weight) => all + weight, 0);
  return weights.map((weight) => Math.trunc((weight / sum) * 4096));
}

/** Step 5, where a side becomes longer. */
function enlarge(picture: Picture, width: number, height: number): Picture {
  const { channels, values, bits } = picture;
  const across = positions(picture.width, width);
  const along = positions(picture.height, height);
  const most = greatestOf(picture);
  const at = (x: number, y: number, channel: number): number =>
    values[(clamp(y, picture.height - 1) * picture.width + clamp(x, picture.width - 1)) * channels + channel] as number;
  const enlarged: number[] = [];
  for (let j = 0; j < height; j += 1) {
    for (let i = 0; i < width; i += 1) {
      const [x, y] = [across[i] as Position, along[j] as Position];
      for (let channel = 0; channel < channels; channel += 1) {
        const row = (k: number) =>
          cubic(
            x.fraction,
            [0, 1, 2, 3].map((n) => at(x.first + n, y.first + k, channel)),
            bits,
          );
        enlarged.push(clamp(Math.trunc(cubic(y.fraction, [row(0), row(1), row(2), row(3)], bits)), most));
      }
    }
  }
  return { ...picture, width, height, values: enlarged };
}

type Position = { first: number; fraction: number };

function positions(from: number, size: number): Position[] {
  const step = size > from ? 1 / (1 / (from / size)) : 1;
  return Array.from({ length: size }, (_, i) => {
    const place = i * step - 0.5;
    return { first: Math.floor(place) - 1, fraction: (((Math.floor(place * 128) & 127) + 1) >> 1) / 64 };
  });
}

function cubic(fraction: number, values: number[], bits: 8 | 16): number {
  const weights = catmullRom(fraction);
  if (bits === 16) return weights.reduce((sum, weight, k) => sum + weight * (values[k] as number), 0);
  return weights.reduce((sum, weight, k) => sum + Math.trunc(weight * 4096) * (values[k] as number), 2048) >> 12;
}

function catmullRom(t: number): number[] {
  const [t2, t3] = [t * t, t * t * t];
  return [(-t + 2 * t2 - t3) / 2, (2 - 5 * t2 + 3 * t3) / 2, (t + 4 * t2 - 3 * t3) / 2, (t3 - t2) / 2];
}

/** Step 6 in 8 bits. */
function asEight(picture: Picture, channels: 1 | 3): Picture {
  const { bits, values } = picture;
  if (channels === 1 && (picture.channels === 3 || bits === 16)) return { ...greyOf(picture, 8), bits: 8 };
  const eight = bits === 8 ? values : values.map((value) => value >> 8);
  return { ...withChannels({ ...picture, values: eight }, channels), bits: 8 };
}

/** Step 6 in 16 bits. */
function asDeep(picture: Picture, channels: 1 | 3): Picture {
  return channels === 1 && picture.channels === 3 ? greyOf(picture, 16) : withChannels(picture, channels);
}

function withChannels(picture: Picture, channels: number): Picture {
  if (picture.channels === channels) return picture;
  return { ...picture, channels, values: picture.values.flatMap((value) => [value, value, value]) };
}

/** Light of a stored value, and the stored value of light; every operation in 32-bit floats. */
function greyOf(picture: Picture, bits: 8 | 16): Picture {
  const { channels, values } = picture;
  const [from, most] = [greatestOf(picture), 2 ** bits - 1];
  const light = Array.from({ length: from + 1 }, (_, i) => {
    const x = f32(i / from);
    return x <= 0.04045 ? f32(x / f32(12.92)) : f32(Math.pow(f32(f32(x + f32(0.055)) / f32(1.055)), f32(2.4)));
  });
  const stored = Array.from({ length: most + 1 }, (_, i) => {
    const x = f32(i / most);
    const v = x <= 0.0031308 ? f32(f32(12.92) * x) : f32(f32(f32(1.055) * f32(Math.pow(x, f32(1 / 2.4)))) - f32(0.055));
    return rint(f32(most * v));
  });
  const grey: number[] = [];
  for (let at = 0; at < values.length; at += channels) {
    const [r, g, b] = [0, 1, 2].map((k) => light[values[at + (channels === 1 ? 0 : k)] as number] as number) as [
      number,
      number,
      number,
    ];
    const y = f32(f32(f32(f32(0.2126) * r) + f32(f32(0.7152) * g)) + f32(f32(0.0722) * b));
    const place = clamp(f32(y * most), most);
    const below = Math.trunc(place);
    const [low, high] = [stored[below] as number, stored[Math.min(most, below + 1)] as number];
    grey.push(rint(f32(low + f32((high - low) * f32(place - below)))));
  }
  return { ...picture, channels: 1, values: grey };
}

/** Step 7. */
function stretch(tensor: Float32Array): Float32Array {
  const least = tensor.reduce((a, b) => Math.min(a, b));
  const extent = tensor.reduce((a, b) => Math.max(a, b)) - least;
  return tensor.map((value) => (extent === 0 ? 0 : ((value - least) * 255) / extent));
}
