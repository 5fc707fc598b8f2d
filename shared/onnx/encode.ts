/** Writes ONNX files: the same model gives the same bytes, always. Field numbers: onnx.proto, IR version 8, opset 17. */
import { ProtoWriter } from './protobuf.ts';

export type Attribute = { float: number } | { int: number } | { ints: readonly number[] } | { text: string };

export interface OnnxNode {
  op: string;
  inputs: string[];
  outputs: string[];
  attributes?: Record<string, Attribute>;
  /** only tests use a domain other than ONNX's own */
  domain?: string;
}

/** A string is a dimension that is open until the model runs. */
export interface ValueInfo {
  name: string;
  shape: (number | string)[];
}

export interface Initialiser {
  name: string;
  dims: number[];
  data: Float32Array | BigInt64Array;
}

export interface OnnxModel {
  name: string;
  /** each after those that make its inputs; bytes are the node of another model, already encoded (parts.ts) */
  nodes: readonly (OnnxNode | Uint8Array)[];
  inputs: ValueInfo[];
  outputs: ValueInfo[];
  /** likewise */
  initialisers: readonly (Initialiser | Uint8Array)[];
  metadata: Record<string, string>;
  irVersion?: number;
  opset?: number;
}

const elementType = { float: 1, int64: 7 } as const;
const attributeType = { float: 1, int: 2, text: 3, ints: 7 } as const;

function writeAttribute(writer: ProtoWriter, name: string, attribute: Attribute): void {
  writer.string(1, name);
  if ('float' in attribute) writer.float(2, attribute.float).int(20, attributeType.float);
  else if ('int' in attribute) writer.int(3, attribute.int).int(20, attributeType.int);
  else if ('text' in attribute) writer.string(4, attribute.text).int(20, attributeType.text);
  else {
    for (const int of attribute.ints) writer.int(8, int);
    writer.int(20, attributeType.ints);
  }
}

function writeNode(writer: ProtoWriter, node: OnnxNode): void {
  for (const input of node.inputs) writer.string(1, input);
  for (const output of node.outputs) writer.string(2, output);
  writer.string(4, node.op);
  const attributes = Object.entries(node.attributes ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, attribute] of attributes) writer.message(5, (inner) => writeAttribute(inner, name, attribute));
  if (node.domain !== undefined) writer.string(7, node.domain);
}

function writeTensor(writer: ProtoWriter, tensor: Initialiser): void {
  const elements = tensor.dims.reduce((product, dim) => product * dim, 1);
  if (elements !== tensor.data.length) {
    throw new Error(`initialiser ${tensor.name} has ${tensor.data.length} elements, its shape ${elements}`);
  }
  for (const dim of tensor.dims) writer.int(1, dim);
  writer.int(2, tensor.data instanceof Float32Array ? elementType.float : elementType.int64);
  writer.string(8, tensor.name).raw(9, tensor.data);
}

/** All declared inputs and outputs are float tensors. */
function writeValueInfo(writer: ProtoWriter, value: ValueInfo): void {
  writer.string(1, value.name).message(2, (type) =>
    type.message(1, (tensor) =>
      tensor.int(1, elementType.float).message(2, (shape) => {
        for (const dim of value.shape) {
          shape.message(1, (inner) => (typeof dim === 'number' ? inner.int(1, dim) : inner.string(2, dim)));
        }
      }),
    ),
  );
}

/** Encodes a model; deterministic. Throws where an initialiser's data does not fill its shape. */
export function encodeModel(model: OnnxModel): Uint8Array {
  const writer = new ProtoWriter();
  writer.int(1, model.irVersion ?? 8).string(2, 'darkroom');
  writer.message(7, (graph) => {
    for (const node of model.nodes) {
      if (node instanceof Uint8Array) graph.bytes(1, node);
      else graph.message(1, (inner) => writeNode(inner, node));
    }
    graph.string(2, model.name);
    for (const tensor of model.initialisers) {
      if (tensor instanceof Uint8Array) graph.bytes(5, tensor);
      else graph.message(5, (inner) => writeTensor(inner, tensor));
    }
    for (const value of model.inputs) graph.message(11, (inner) => writeValueInfo(inner, value));
    for (const value of model.outputs) graph.message(12, (inner) => writeValueInfo(inner, value));
  });
  writer.message(8, (opset) => opset.string(1, '').int(2, model.opset ?? 17));
  const metadata = Object.entries(model.metadata).sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [key, value] of metadata) writer.message(14, (entry) => entry.string(1, key).string(2, value));
  return writer.finish();
}
