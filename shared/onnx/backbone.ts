/** The pretrained network that trainers build on; backbone/README.md says what it is and where it comes from. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type GraphParts, partsOf } from './parts.ts';

/** Its file, which lies in the folder beside this source, and in a bundle beside the bundle; its ends. */
export const backbone = {
  name: 'EfficientNet-Lite0',
  licence: 'Apache-2.0',
  changes: 'converted to ONNX, classifier removed, batch norm folded, weights stored as float16',
  file: path.join(import.meta.dirname, 'backbone', 'efficientnet-lite0-fp16.onnx'),
  sha256: 'cae1fd581e1e63e3de2aa9d96a2f68ff59f2470ac6b1a7fba84bcc71e9f7019b',
  /** [N, 3, height, width], RGB of 0 to 255; both sides are multiples of `stride` */
  input: 'image',
  stride: 32,
  /** [N, `embeddingSize`] */
  embedding: 'embedding',
  embeddingSize: 1280,
  /** each [N, channels, height / stride, width / stride] */
  maps: {
    s8: { channels: 40, stride: 8 },
    s16: { channels: 112, stride: 16 },
    s32: { channels: 320, stride: 32 },
  },
} as const;

/** The side nearest to `pixels` that the backbone takes: a multiple of its stride, one at least. */
export const backboneSide = (pixels: number): number =>
  Math.max(1, Math.round(pixels / backbone.stride)) * backbone.stride;

/** Reads the backbone's file. Throws an Error where it is missing or another one than it should be. */
export async function readBackbone(file: string = backbone.file): Promise<Buffer> {
  const bytes = await readFile(file);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (sha256 === backbone.sha256) return bytes;
  throw new Error(
    `${file} has the SHA-256 ${sha256} instead of ${backbone.sha256}: it is damaged or of another release; take it from a fresh checkout or image`,
  );
}

/** The backbone's nodes and weights, to be put into a graph that makes `image` before and uses its outputs after. */
export const backboneParts = async (): Promise<GraphParts> => partsOf(await readBackbone());
