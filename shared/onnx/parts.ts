/** Nodes and weights of one model for another: a graph that holds a graph. Field numbers: onnx.proto. */
import { bytesOf, type Field, messageFields, type Range, walk } from './protobuf.ts';

/** Messages of ONNX as they are encoded: NodeProto and TensorProto, in order. */
export interface GraphParts {
  nodes: Uint8Array[];
  initialisers: Uint8Array[];
}

const modelFields = messageFields([1, 2, 3, 4, 5, 6, 7], [8, 14, 20, 25, 26]);
const graphFields = messageFields([2, 10], [1, 5, 11, 12, 13, 14, 15, 16]);

/**
 * The nodes and weights of a model, under their own names; what goes in and comes out is told apart by these names alone.
 * Not copied: they are views of `model`. Throws a Refusal where the bytes are no ONNX model.
 */
export function partsOf(model: Uint8Array): GraphParts {
  const parts: GraphParts = { nodes: [], initialisers: [] };
  const part = (range: Range): Uint8Array => model.subarray(range.start, range.end);
  const inGraph = (field: Field): void => {
    if (field.number === 1) parts.nodes.push(part(bytesOf(field)));
    if (field.number === 5) parts.initialisers.push(part(bytesOf(field)));
  };
  walk(model, { start: 0, end: model.length }, 'ModelProto', modelFields, (field) => {
    if (field.number === 7) walk(model, bytesOf(field), 'GraphProto', graphFields, inGraph);
  });
  return parts;
}
