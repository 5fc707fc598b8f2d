/**
 * Files that a job leaves as its model. What each field of ONNX may hold is in test/shared/onnx; here are whole files and
 * models that other parsers would understand differently. Expected: why the run fails.
 */
import { gzipSync } from 'node:zlib';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  AttributeProtoSchema,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  NodeProtoSchema,
  StringStringEntryProtoSchema,
  TensorProto_DataLocation,
  TensorProto_DataType,
  TensorProtoSchema,
} from 'onnx-buf';
import { maxModelBytes } from '../../shared/model/artifact.ts';
import { encodeModel, type OnnxModel } from '../../shared/onnx/encode.ts';
import { tinyModel } from '../shared/onnx/tiny-model.ts';
import type { HostileCase } from './case.ts';

/** what the project of the small world expects */
const spec = { channels: 1, height: 8, width: 8, classes: 10 };
const sound = (change: Partial<OnnxModel> = {}): Buffer =>
  Buffer.from(encodeModel({ ...tinyModel(0, spec), ...change }));

function edited(edit: (model: ModelProto, graph: NonNullable<ModelProto['graph']>) => void): Buffer {
  const model = fromBinary(ModelProtoSchema, sound());
  if (model.graph === undefined) throw new Error('the sound model has no graph');
  edit(model, model.graph);
  return Buffer.from(toBinary(ModelProtoSchema, model));
}

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
const refused = (reason: string): string => `refused ${reason}`;
const malformed = refused('malformed');

const files: [name: string, bytes: Buffer, expected: string][] = [
  ['nothing', Buffer.alloc(0), malformed],
  ['NULs', Buffer.alloc(10_000), malformed],
  ['text', latin1('this is a model'), malformed],
  ['HTML of a login page', latin1('<!doctype html><title>Sign in</title>'), malformed],
  ['a pickle', latin1('\x80\x04\x95\x1d\0\0\0\0\0\0\0\x8c\x05posix\x94\x8c\x06system\x94\x93\x94'), malformed],
  ['an archive, as PyTorch writes', latin1('PK\x03\x04\x14\0\0\0archive/data.pkl'), malformed],
  ['safetensors', latin1('\x40\0\0\0\0\0\0\0{"a":{"dtype":"F32"}}'), malformed],
  ['TensorFlow Lite', latin1('\x1c\0\0\0TFL3\x14\0\x20\0'), malformed],
  ['HDF5', latin1('\x89HDF\r\n\x1a\n'), malformed],
  ['GGUF', latin1('GGUF\x03\0\0\0'), malformed],
  ['NumPy', latin1('\x93NUMPY\x01\0v\0'), malformed],
  ['a program', latin1('\x7fELF\x02\x01\x01'), malformed],
  ['a sound model in gzip', gzipSync(sound()), malformed],
  ['a sound model in base64', latin1(sound().toString('base64')), malformed],
  ['a sound model read as UTF-8', Buffer.from(sound().toString('utf8')), malformed],
  ['a sound model sent as text', latin1(sound().toString('latin1').replaceAll('\n', '\r\n')), malformed],
  ['half of a model', sound().subarray(0, 1000), malformed],
  ['a model without its last byte', sound({ metadata: {} }).subarray(0, -1), malformed],
  ['a model and a NUL', Buffer.concat([sound(), Buffer.alloc(1)]), malformed],
  ['a model and an archive', Buffer.concat([sound(), latin1('PK\x03\x04')]), malformed],
  ['two models', Buffer.concat([sound(), sound()]), malformed],
  ['more than 200 MB', Buffer.alloc(maxModelBytes + 1), 'failed model-too-large'],
  ['a length of 4 GB', Buffer.of(0x3a, 0xff, 0xff, 0xff, 0xff, 0x0f), malformed],
  ['a varint that never ends', Buffer.alloc(100, 0xff), malformed],
  ['groups within groups', Buffer.alloc(50_000, 0x3b), malformed],
  ['messages within messages', nested(20_000), refused('unsupported-ir')],
];

/** GraphProto in an attribute of a node of a graph, and so on. */
function nested(levels: number): Buffer {
  let inner: Buffer = Buffer.alloc(0);
  for (let i = 0; i < levels && inner.length < 60_000; i++) inner = field(i % 3 === 0 ? 6 : i % 3 === 1 ? 5 : 1, inner);
  return field(7, inner);
}

function field(number: number, content: Buffer): Buffer {
  const length: number[] = [];
  let rest = content.length;
  do {
    length.push((rest & 127) | (rest > 127 ? 128 : 0));
    rest >>= 7;
  } while (rest > 0);
  return Buffer.concat([Buffer.of(number * 8 + 2), Buffer.from(length), content]);
}

const node = (op: string, more: object = {}): Buffer =>
  sound({ nodes: [...tinyModel(0, spec).nodes, { op, inputs: ['logits'], outputs: ['extra'], ...more }] });

const operators: [name: string, bytes: Buffer, expected: string][] = [
  ...['If', 'Loop', 'Scan', 'SequenceMap'].map((op): [string, Buffer, string] => [
    op,
    node(op),
    refused('control-flow'),
  ]),
  ...[
    'OneHot',
    'Upsample',
    'RandomUniform',
    'Multinomial',
    'NonZero',
    'StringNormalizer',
    'ImageDecoder',
    'Optional',
    'eval',
  ].map((op): [string, Buffer, string] => [op, node(op), refused('operator-not-allowed')]),
  ...['ConstantOfShape', 'Range'].map((op): [string, Buffer, string] => [
    `${op} of as much as the pixels say`,
    node(op),
    refused('size-from-pixels'),
  ]),
  ['an operator without a name', node(''), refused('operator-not-allowed')],
  ['an operator of another letter case', node('relu'), refused('operator-not-allowed')],
  ['an operator with a NUL', node('Relu\0'), refused('operator-not-allowed')],
  ['a Microsoft operator', node('FusedConv', { domain: 'com.microsoft' }), refused('custom-operator')],
  ['an operator of training', node('Adam', { domain: 'ai.onnx.preview.training' }), refused('custom-operator')],
];

const edits: [name: string, edit: Parameters<typeof edited>[0], expected: string][] = [
  [
    'weights in /etc/passwd',
    (_, g) =>
      void g.initializer[0]?.externalData.push(
        create(StringStringEntryProtoSchema, { key: 'location', value: '/etc/passwd' }),
      ),
    refused('external-data'),
  ],
  [
    'weights somewhere else',
    (_, g) => void Object.assign(g.initializer[0] ?? {}, { dataLocation: TensorProto_DataLocation.EXTERNAL }),
    refused('external-data'),
  ],
  [
    'weights of text',
    (_, g) => void Object.assign(g.initializer[0] ?? {}, { dataType: TensorProto_DataType.STRING }),
    refused('unsupported-type'),
  ],
  [
    'weights that are fewer than they say',
    (_, g) => void Object.assign(g.initializer[0] ?? {}, { dims: [1_000_000n, 1_000_000n] }),
    malformed,
  ],
  ['weights of 2^63', (_, g) => void Object.assign(g.initializer[0] ?? {}, { dims: [2n ** 63n - 1n] }), malformed],
  [
    'weights in nine dimensions',
    (_, g) => void Object.assign(g.initializer[0] ?? {}, { dims: Array.from({ length: 9 }, () => 1n) }),
    malformed,
  ],
  [
    'a graph in an attribute',
    (_, g) =>
      void g.node[0]?.attribute.push(create(AttributeProtoSchema, { name: 'body', g: create(GraphProtoSchema, {}) })),
    refused('control-flow'),
  ],
  [
    'a tensor in an attribute that is elsewhere',
    (_, g) =>
      void g.node[0]?.attribute.push(
        create(AttributeProtoSchema, {
          name: 'value',
          t: create(TensorProtoSchema, { dataType: 1, dataLocation: TensorProto_DataLocation.EXTERNAL }),
        }),
      ),
    refused('external-data'),
  ],
  [
    'an attribute that is not a number',
    (_, g) => void g.node[0]?.attribute.push(create(AttributeProtoSchema, { name: 'alpha', f: Number.NaN })),
    refused('non-finite-weights'),
  ],
  [
    'a node that feeds itself',
    (_, g) => void g.node.push(create(NodeProtoSchema, { opType: 'Relu', input: ['x'], output: ['x'] })),
    malformed,
  ],
  [
    'a node that makes the input',
    (_, g) => void g.node.push(create(NodeProtoSchema, { opType: 'Relu', input: ['logits'], output: ['input'] })),
    malformed,
  ],
  [
    'more than 20,000 nodes',
    (_, g) =>
      void g.node.push(
        ...Array.from({ length: 20_001 }, () => create(NodeProtoSchema, { opType: 'Relu', input: ['logits'] })),
      ),
    refused('too-large'),
  ],
  [
    'a name of 1,001',
    (_, g) => void g.node.push(create(NodeProtoSchema, { opType: 'Relu', name: 'n', input: ['i'.repeat(1001)] })),
    malformed,
  ],
  [
    'metadata twice',
    (m) =>
      void m.metadataProps.push(...[1, 2].map(() => create(StringStringEntryProtoSchema, { key: 'task', value: 'x' }))),
    malformed,
  ],
  [
    'a thousand entries of metadata',
    (m) =>
      void m.metadataProps.push(
        ...Array.from({ length: 1000 }, (_, i) => create(StringStringEntryProtoSchema, { key: `k${i}`, value: 'x' })),
      ),
    refused('too-large'),
  ],
  [
    'operators of another domain',
    (m) => void Object.assign(m.opsetImport[0] ?? {}, { domain: 'com.microsoft' }),
    refused('unsupported-opset'),
  ],
  [
    'operators of the future',
    (m) => void Object.assign(m.opsetImport[0] ?? {}, { version: 99n }),
    refused('unsupported-opset'),
  ],
  ['a version of the future', (m) => void (m.irVersion = 2n ** 62n), refused('unsupported-ir')],
  ['a version below zero', (m) => void (m.irVersion = -1n), refused('unsupported-ir')],
];

const shapes: [name: string, bytes: Buffer, expected: string][] = [
  ['a picture of another size', sound({ inputs: [{ name: 'input', shape: ['N', 1, 9, 8] }] }), refused('wrong-input')],
  ['a picture of -8', sound({ inputs: [{ name: 'input', shape: ['N', 1, -8, 8] }] }), refused('wrong-input')],
  ['eleven classes', sound({ outputs: [{ name: 'probabilities', shape: ['N', 11] }] }), refused('wrong-output')],
  [
    'a second output',
    sound({ outputs: [...tinyModel(0, spec).outputs, { name: 'logits', shape: ['N', 10] }] }),
    refused('wrong-output'),
  ],
  ['no output', sound({ outputs: [] }), refused('wrong-output')],
  [
    'weights of infinity',
    sound({
      initialisers: [...tinyModel(0, spec).initialisers, { name: 'x', dims: [1], data: Float32Array.of(Infinity) }],
    }),
    refused('non-finite-weights'),
  ],
];

export const models: HostileCase<Buffer>[] = [
  ...files,
  ...operators,
  ...edits.map(([name, edit, expected]): [string, Buffer, string] => [name, edited(edit), expected]),
  ...shapes,
].map(([name, input, expected]) => ({ name, input, expected }));
