import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import * as fc from 'fast-check';
import {
  AttributeProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  StringStringEntryProtoSchema,
  TensorProto_DataLocation,
  TensorProto_DataType,
  type ModelProto,
} from 'onnx-buf';
import { describe, expect, test } from 'vitest';
import { encodeModel, type OnnxModel } from '../../../shared/onnx/encode.ts';
import { validateModel } from '../../../shared/onnx/validate.ts';
import { tinyModel, tinyEnds } from './tiny-model.ts';

const encoded = (change: Partial<OnnxModel> = {}): Uint8Array => encodeModel({ ...tinyModel(), ...change });

/** Edits a valid model with an independent encoder. */
function edited(edit: (model: ModelProto) => void): Uint8Array {
  const model = fromBinary(ModelProtoSchema, encoded());
  edit(model);
  return toBinary(ModelProtoSchema, model);
}

const reasonOf = (bytes: Uint8Array): string => {
  const result = validateModel(bytes, tinyEnds);
  return result.ok ? 'ok' : result.reason;
};

const inner = create(GraphProtoSchema, { name: 'inner' });

describe('validateModel', () => {
  test('takes a plain classifier and gives its metadata', () => {
    expect(validateModel(encoded(), tinyEnds)).toEqual({ ok: true, metadata: { task: 'tiny' } });
  });

  test('takes the same model as another encoder writes it', () => {
    expect(reasonOf(edited(() => undefined))).toBe('ok');
  });

  test('takes weights in typed fields', () => {
    const bytes = edited((model) => {
      const tensor = model.graph?.initializer[1];
      if (tensor === undefined) return;
      delete (tensor as { rawData?: unknown }).rawData;
      tensor.floatData = [0, 0];
    });
    expect(reasonOf(bytes)).toBe('ok');
  });

  const node = (op: string, more: object = {}): Partial<OnnxModel> => ({
    nodes: [...tinyModel().nodes, { op, inputs: ['logits'], outputs: ['extra'], ...more }],
  });
  const weights = (data: number[]): Partial<OnnxModel> => ({
    initialisers: [...tinyModel().initialisers, { name: 'more', dims: [data.length], data: Float32Array.from(data) }],
  });
  test.each([
    ['custom-operator', 'a custom domain', node('Relu', { domain: 'com.example' })],
    ['operator-not-allowed', 'a random operator', node('RandomNormalLike')],
    ['operator-not-allowed', 'an unknown operator', node('Exec')],
    ['control-flow', 'a loop', node('Loop')],
    ['non-finite-weights', 'NaN', weights([1, Number.NaN])],
    ['non-finite-weights', 'infinity', weights([Number.NEGATIVE_INFINITY])],
    ['non-finite-weights', 'a NaN attribute', node('Elu', { attributes: { alpha: { float: Number.NaN } } })],
    ['unsupported-ir', 'an IR version of the future', { irVersion: 99 }],
    ['unsupported-ir', 'a negative IR version', { irVersion: -8 }],
    ['unsupported-opset', 'an old opset', { opset: 6 }],
    [
      'duplicate-initialiser',
      'two initialisers of one name',
      { initialisers: [...tinyModel().initialisers, ...tinyModel().initialisers] },
    ],
    ['wrong-input', 'another input size', { inputs: [{ name: 'input', shape: ['N', 1, 2, 3] }] }],
    ['wrong-input', 'a fixed batch', { inputs: [{ name: 'input', shape: [1, 1, 2, 2] }] }],
    ['wrong-input', 'a second input', { inputs: [...tinyModel().inputs, { name: 'second', shape: ['N'] }] }],
    ['wrong-output', 'another number of classes', { outputs: [{ name: 'probabilities', shape: ['N', 3] }] }],
    ['wrong-output', 'another output name', { outputs: [{ name: 'logits', shape: ['N', 2] }] }],
    ['malformed', 'a node before its input', { nodes: tinyModel().nodes.toReversed() }],
    ['malformed', 'an output never made', { nodes: tinyModel().nodes.slice(0, 2) }],
  ])('refuses as %s: %s', (reason, _what, change) => {
    expect(reasonOf(encoded(change))).toBe(reason);
  });

  test.each<[string, string, (model: ModelProto) => void]>([
    [
      'external-data',
      'data in another file',
      (m) => void (m.graph!.initializer[0]!.dataLocation = TensorProto_DataLocation.EXTERNAL),
    ],
    [
      'external-data',
      'a path',
      (m) =>
        void m.graph!.initializer[0]!.externalData.push(
          create(StringStringEntryProtoSchema, { key: 'location', value: '/etc/passwd' }),
        ),
    ],
    [
      'control-flow',
      'a graph in an attribute',
      (m) => void m.graph!.node[0]!.attribute.push(create(AttributeProtoSchema, { name: 'body', g: inner })),
    ],
    [
      'control-flow',
      'graphs in an attribute',
      (m) => void m.graph!.node[0]!.attribute.push(create(AttributeProtoSchema, { name: 'body', graphs: [inner] })),
    ],
    [
      'control-flow',
      'a reference to a function',
      (m) => void m.graph!.node[0]!.attribute.push(create(AttributeProtoSchema, { name: 'a', refAttrName: 'b' })),
    ],
    ['unsupported-opset', 'two default opsets', (m) => void m.opsetImport.push(m.opsetImport[0]!)],
    ['unsupported-opset', 'no opset', (m) => void (m.opsetImport = [])],
    [
      'unsupported-type',
      'strings as weights',
      (m) => void (m.graph!.initializer[0]!.dataType = TensorProto_DataType.STRING),
    ],
    ['malformed', 'a shape beyond its data', (m) => void (m.graph!.initializer[0]!.dims = [1_000_000n, 1_000_000n])],
    ['malformed', 'a negative dimension', (m) => void (m.graph!.initializer[0]!.dims = [-4n, -2n])],
    ['malformed', 'no graph', (m) => void delete m.graph],
  ])('refuses as %s: %s', (reason, _what, edit) => {
    expect(reasonOf(edited(edit))).toBe(reason);
  });

  test('takes a domain that is imported and not used', () => {
    const bytes = edited((m) => void m.opsetImport.push({ ...m.opsetImport[0]!, domain: 'com.microsoft' }));
    expect(reasonOf(bytes)).toBe('ok');
  });

  test('refuses functions', () => {
    // field 25 of ModelProto, one empty function
    expect(reasonOf(Buffer.concat([encoded(), Buffer.from([0xca, 0x01, 0x00])]))).toBe('control-flow');
  });

  test('refuses a second graph, which other parsers would merge', () => {
    expect(reasonOf(Buffer.concat([encoded(), encoded()]))).toBe('malformed');
  });

  test('refuses more bytes than allowed', () => {
    expect(validateModel(encoded(), tinyEnds, 100)).toMatchObject({ ok: false, reason: 'too-large' });
  });

  test('refuses pickles, archives and nothing at all', () => {
    expect(reasonOf(Buffer.from('\x80\x04\x95\x10\x00\x00\x00', 'latin1'))).toBe('malformed');
    expect(reasonOf(Buffer.from('PK\x03\x04archive/data.pkl'))).toBe('malformed');
    expect(reasonOf(new Uint8Array())).toBe('malformed');
  });

  test('never throws, on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) =>
        ['ok', 'refused'].includes(validateModel(bytes, tinyEnds).ok ? 'ok' : 'refused'),
      ),
    );
  });

  test('never throws on a damaged model, and takes none that is cut short', () => {
    // without metadata the last bytes are needed too
    const bytes = encoded({ metadata: {} });
    const flip = fc.record({ at: fc.nat({ max: bytes.length - 1 }), value: fc.nat({ max: 255 }) });
    fc.assert(
      fc.property(
        fc.array(flip, { minLength: 1, maxLength: 8 }),
        fc.nat({ max: bytes.length - 1 }),
        (flips, length) => {
          const damaged = Uint8Array.from(bytes);
          for (const { at, value } of flips) damaged[at] = value;
          expect(() => validateModel(damaged, tinyEnds)).not.toThrow();
          expect(() => validateModel(damaged.subarray(0, length), tinyEnds)).not.toThrow();
          expect(validateModel(bytes.subarray(0, length), tinyEnds).ok).toBe(false);
        },
      ),
      { numRuns: 500 },
    );
  });
});
