/** Maps that the frozen backbone gives for pictures: computed once, kept in memory in float16. */
import { backbone } from '../../../shared/onnx/backbone.ts';
import type { InputShape } from '../../../shared/onnx/ends.ts';
import { floatsOf, floatTensor, openGraph, type Tensor } from '../../../shared/onnx/engine.ts';
import type { GraphParts } from '../../../shared/onnx/parts.ts';
import { mapsGraph, mapSizeOf } from './graphs.ts';
import { halvesOf, numbers } from './half.ts';
import { mapNames, mapShape, type MapName, type Standards } from './head.ts';

/** The maps of one picture, as bits of float16. */
export type KeptMaps = Record<MapName, Uint16Array>;

/** a laptop has that beside everything else */
const maxBytes = 1.5 * 1024 ** 3;

/** What the maps of one picture take. */
export function bytesOfMaps(input: InputShape): number {
  const size = mapSizeOf(input);
  const values = mapNames.map((name) => mapShape(name, 1, size).reduce((product, dim) => product * dim, 1));
  return values.reduce((sum, count) => sum + count, 0) * Uint16Array.BYTES_PER_ELEMENT;
}

/**
 * How many copies of each training picture there is room for beside all pictures themselves, `wanted` at most. Throws where
 * not even the pictures fit.
 */
export function copiesThatFit(
  samples: { train: number; validation: number },
  wanted: number,
  input: InputShape,
): number {
  const room = Math.floor(maxBytes / bytesOfMaps(input));
  const pictures = samples.train + samples.validation;
  if (pictures > room) {
    throw new Error(
      `the maps of ${pictures} pictures of ${input.width}x${input.height} do not fit into ${maxBytes} bytes, which hold ${room}: make the project's image smaller, or use a trainer that reads pictures again for each step`,
    );
  }
  return Math.min(wanted, Math.floor((room - pictures) / Math.max(1, samples.train)));
}

export interface MapMaker {
  /** The maps of pictures, each CHW floats 0..255. */
  mapsOf(pictures: readonly Float32Array[]): Promise<KeptMaps[]>;
  release(): Promise<void>;
}

/** Loads the backbone for inputs of one size. */
export async function createMapMaker(parts: GraphParts, input: InputShape, threads: number): Promise<MapMaker> {
  const session = await openGraph(mapsGraph(parts, input), threads);
  const { channels, height, width } = input;
  return {
    async mapsOf(pictures) {
      const maps: KeptMaps[] = [];
      // one by one: what lies between the layers takes 100 MB for a large picture
      for (const picture of pictures) {
        const outputs = await session.run({ input: floatTensor(picture, [1, channels, height, width]) });
        const one = (name: MapName): Uint16Array => halvesOf(floatsOf(outputs[name]));
        maps.push({ s8: one('s8'), s16: one('s16'), s32: one('s32') });
      }
      return maps;
    },
    release: () => session.release(),
  };
}

/** The maps of several pictures as the inputs of a graph. */
export function feedsOf(maps: readonly KeptMaps[], input: InputShape): Record<string, Tensor> {
  const size = mapSizeOf(input);
  return Object.fromEntries(
    mapNames.map((name) => {
      const shape = mapShape(name, maps.length, size);
      const data = new Float32Array(shape.reduce((product, dim) => product * dim, 1));
      maps.forEach((one, i) => {
        const halves = one[name];
        const from = i * halves.length;
        for (let at = 0; at < halves.length; at++) data[from + at] = numbers[halves[at] ?? 0] ?? 0;
      });
      return [name, floatTensor(data, shape)];
    }),
  );
}

/** enough to know a channel's mean and spread */
const measured = 200;

/** Shift and scale that give each channel mean 0 and variance 1 over the pictures. */
export function measureStandards(maps: readonly KeptMaps[]): Standards {
  const some = maps.slice(0, measured);
  const standards = mapNames.map((name) => {
    const { channels } = backbone.maps[name];
    const shift = new Float32Array(channels);
    const scale = new Float32Array(channels);
    const places = (some[0]?.[name].length ?? 0) / channels;
    for (let channel = 0; channel < channels; channel++) {
      let [sum, squares] = [0, 0];
      for (const one of some) {
        for (let at = channel * places; at < (channel + 1) * places; at++) {
          const value = numbers[one[name][at] ?? 0] ?? 0;
          sum += value;
          squares += value * value;
        }
      }
      const mean = sum / (places * some.length);
      shift[channel] = -mean;
      // a channel that is nearly the same everywhere stays small
      scale[channel] = 1 / Math.sqrt(Math.max(squares / (places * some.length) - mean ** 2, 0) + 1e-3);
    }
    return [name, { shift, scale }] as const;
  });
  return Object.fromEntries(standards) as Standards;
}
