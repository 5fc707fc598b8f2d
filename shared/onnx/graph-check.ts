/** Checks nodes, attributes and the wiring of a GraphProto. Field numbers: onnx.proto. */
import { allowedOperators, controlFlowOperators, shapeOperators, sizeInputs } from './operators.ts';
import { bytesOf, intOf, messageFields, Refusal, stringOf, walk, type Field, type Range } from './protobuf.ts';
import { checkTensor, refuseNonFiniteField } from './tensor-check.ts';

const maxNodes = 20_000;
const maxNameBytes = 1000;
const maxTextBytes = 100_000;

export interface TensorInfo {
  name: string;
  /** TensorProto.DataType: 1 is float */
  elementType: number;
  /** a string is an open dimension ('' when it is not even named) */
  shape: (number | string)[];
}

/** AttributeProto: 6 and 11 are graphs, 21 refers into a function, 14, 15, 22 and 23 are types and sparse tensors. */
const attributeFields = messageFields([1, 2, 3, 4, 5, 6, 13, 14, 20, 21, 22], [7, 8, 9, 10, 11, 15, 23]);

function checkAttribute(bytes: Uint8Array, range: Range, where: string): void {
  walk(bytes, range, 'AttributeProto', attributeFields, (field) => {
    if (field.number === 6 || field.number === 11) {
      throw new Refusal('control-flow', `${where} has a graph inside an attribute`);
    }
    if (field.number === 21) throw new Refusal('control-flow', `${where} refers to an attribute of a function`);
    if ([14, 15, 22, 23].includes(field.number)) {
      throw new Refusal('unsupported-type', `${where} has a type or a sparse tensor as attribute`);
    }
    if (field.number === 2 || field.number === 7) refuseNonFiniteField(bytes, field, 4, where);
    if (field.number === 5 || field.number === 10) checkTensor(bytes, bytesOf(field));
  });
}

const nodeFields = messageFields([3, 4, 6, 7, 8], [1, 2, 5, 9, 10]);

interface Node {
  operator: string;
  inputs: string[];
  outputs: string[];
}

function checkNode(bytes: Uint8Array, range: Range): Node {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes: Range[] = [];
  let operator = '';
  walk(bytes, range, 'NodeProto', nodeFields, (field) => {
    if (field.number === 1) inputs.push(stringOf(bytes, field, maxNameBytes));
    else if (field.number === 2) outputs.push(stringOf(bytes, field, maxNameBytes));
    else if (field.number === 4) operator = stringOf(bytes, field, maxNameBytes);
    else if (field.number === 5) attributes.push(bytesOf(field));
    else if (field.number === 7 || field.number === 8) {
      const text = stringOf(bytes, field, maxNameBytes);
      const allowed = text === '' || (field.number === 7 && text === 'ai.onnx');
      if (!allowed) {
        throw new Refusal(
          'custom-operator',
          `a node uses the domain or overload ${text.slice(0, 100)}; only operators of ONNX itself run: export without custom operators, and before any optimisation for one runtime`,
        );
      }
    }
  });
  if (controlFlowOperators.has(operator)) {
    throw new Refusal(
      'control-flow',
      `operator ${operator} holds graphs; export without branches and loops that depend on the data`,
    );
  }
  if (!allowedOperators.has(operator)) {
    throw new Refusal('operator-not-allowed', `operator ${operator.slice(0, 100)} is not among those that run`);
  }
  for (const attribute of attributes) checkAttribute(bytes, attribute, `a ${operator} node`);
  return { operator, inputs, outputs };
}

const shapeFields = messageFields([], [1]);
const dimensionFields = messageFields([1, 2, 3], []);
const valueFields = messageFields([1, 2, 3], [4]);
const typeFields = messageFields([1, 4, 5, 6, 7, 8, 9], []);
const tensorTypeFields = messageFields([1, 2], []);

function readShape(bytes: Uint8Array, range: Range): (number | string)[] {
  const shape: (number | string)[] = [];
  walk(bytes, range, 'TensorShapeProto', shapeFields, (field) => {
    if (shape.length === 8) throw new Refusal('malformed', 'a shape has more than 8 dimensions');
    let dim: number | string = '';
    walk(bytes, bytesOf(field), 'Dimension', dimensionFields, (inner) => {
      if (inner.number === 3) return;
      if (dim !== '') throw new Refusal('malformed', 'a dimension has both a value and a name');
      dim = inner.number === 1 ? intOf(bytes, inner) : stringOf(bytes, inner, maxNameBytes);
    });
    shape.push(dim);
  });
  return shape;
}

function readTensorInfo(bytes: Uint8Array, range: Range): TensorInfo {
  const info: TensorInfo = { name: '', elementType: 0, shape: [] };
  walk(bytes, range, 'ValueInfoProto', valueFields, (field) => {
    if (field.number === 1) info.name = stringOf(bytes, field, maxNameBytes);
    if (field.number !== 2) return;
    walk(bytes, bytesOf(field), 'TypeProto', typeFields, (type) => {
      if (type.number === 6) return;
      if (type.number !== 1) throw new Refusal('unsupported-type', `value ${info.name} is not a tensor`);
      walk(bytes, bytesOf(type), 'TypeProto.Tensor', tensorTypeFields, (tensor) => {
        if (tensor.number === 1) info.elementType = intOf(bytes, tensor);
        else info.shape = readShape(bytes, bytesOf(tensor));
      });
    });
  });
  return info;
}

const graphFields = messageFields([2, 10], [1, 5, 11, 12, 13, 14, 15, 16]);

interface GraphContent {
  nodes: Node[];
  initialisers: Set<string>;
  inputs: TensorInfo[];
  outputs: TensorInfo[];
}

function visitGraphField(bytes: Uint8Array, field: Field, graph: GraphContent): void {
  switch (field.number) {
    case 1:
      if (graph.nodes.length === maxNodes) throw new Refusal('too-large', `more than ${maxNodes} nodes`);
      graph.nodes.push(checkNode(bytes, bytesOf(field)));
      return;
    case 5: {
      const name = checkTensor(bytes, bytesOf(field));
      if (name === '' || graph.initialisers.has(name)) {
        throw new Refusal(
          'duplicate-initialiser',
          name === '' ? 'an initialiser has no name' : `initialiser ${name} comes twice`,
        );
      }
      graph.initialisers.add(name);
      return;
    }
    case 11:
      graph.inputs.push(readTensorInfo(bytes, bytesOf(field)));
      return;
    case 12:
      graph.outputs.push(readTensorInfo(bytes, bytesOf(field)));
      return;
    case 13:
      readTensorInfo(bytes, bytesOf(field));
      return;
    case 14:
    case 15:
      throw new Refusal('unsupported-type', 'the graph has sparse initialisers or quantisation annotations');
    case 2:
    case 10:
      stringOf(bytes, field, maxTextBytes);
      return;
    default: // metadata of exporters
  }
}

/** Every value is made once, before it is used: no cycles, nothing shadowed. */
function checkWiring(graph: GraphContent): void {
  const known = new Set(graph.initialisers);
  const define = (name: string): void => {
    if (known.has(name)) throw new Refusal('malformed', `value ${name} is made twice`);
    known.add(name);
  };
  for (const input of graph.inputs) define(input.name);
  for (const node of graph.nodes) {
    // '' stands for an optional input or output that is left out
    const missing = node.inputs.find((name) => name !== '' && !known.has(name));
    if (missing !== undefined) throw new Refusal('malformed', `value ${missing} is used before it is made`);
    for (const output of node.outputs) if (output !== '') define(output);
  }
  const missing = graph.outputs.find((output) => !known.has(output.name));
  if (missing !== undefined) throw new Refusal('malformed', `output ${missing.name} is never made`);
}

/** No pixel says how much memory a node takes: whoever sends the pictures would. */
function checkSizes(graph: GraphContent): void {
  const ofPixels = new Set(graph.inputs.map((input) => input.name));
  for (const { operator, inputs, outputs } of graph.nodes) {
    const found = (sizeInputs.get(operator) ?? []).find((at) => ofPixels.has(inputs[at] ?? ''));
    if (found !== undefined) {
      throw new Refusal(
        'size-from-pixels',
        `input ${found} of a ${operator} node is computed from the pixels; sizes may depend on the shape of the input alone`,
      );
    }
    if (shapeOperators.has(operator) || !inputs.some((name) => ofPixels.has(name))) continue;
    for (const output of outputs) if (output !== '') ofPixels.add(output);
  }
}

/** Refuses (throws a Refusal) a graph that is not plainly a model's of pictures; returns its declared ends. */
export function checkGraph(bytes: Uint8Array, range: Range): { inputs: TensorInfo[]; outputs: TensorInfo[] } {
  const graph: GraphContent = { nodes: [], initialisers: new Set(), inputs: [], outputs: [] };
  walk(bytes, range, 'GraphProto', graphFields, (field) => visitGraphField(bytes, field, graph));
  checkWiring(graph);
  checkSizes(graph);
  return graph;
}
