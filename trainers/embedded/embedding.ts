/** What the pretrained backbone sees in a picture, as nodes of a graph. */
import { backbone, backboneSide } from '../../shared/onnx/backbone.ts';
import type { InputShape } from '../../shared/onnx/ends.ts';
import type { GraphParts } from '../../shared/onnx/parts.ts';
import { type GraphBuilder, shape4, type Value } from './graph-builder.ts';
import { resize } from './layers.ts';

/** Rows and columns of what the backbone is given: about `side` where the picture is longest, its shape kept as far as multiples of 32 allow. */
export function backboneInput({ height, width }: InputShape, side: number): [rows: number, columns: number] {
  const scale = side / Math.max(height, width);
  return [backboneSide(height * scale), backboneSide(width * scale)];
}

/** Pixels 0..255 [n, 1 or 3, rows, columns] to the embedding [n, 1280]; grey is given as three equal colours. */
export function embed(graph: GraphBuilder, pixels: Value, side: number, parts: GraphParts): Value {
  const [n, channels, height, width] = shape4(pixels);
  const [rows, columns] = backboneInput({ channels, height, width }, side);
  const resized = resize(graph, pixels, rows, columns);
  const colour =
    channels === 3
      ? resized
      : graph.node('Concat', [resized, resized, resized], [n, 3, rows, columns], { axis: { int: 1 } });
  graph.alias(colour, backbone.input);
  graph.include(parts);
  return { name: backbone.embedding, shape: [n, backbone.embeddingSize] };
}
