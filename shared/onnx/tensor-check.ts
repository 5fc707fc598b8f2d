/** Checks one TensorProto: data inside the file, as much as its shape says, finite. Field numbers: onnx.proto. */
import {
  bytesOf,
  countVarints,
  fixedOf,
  intOf,
  messageFields,
  Refusal,
  stringOf,
  walk,
  type Field,
  type Range,
} from './protobuf.ts';

const maxRank = 8;
const maxNameBytes = 1000;

const tensorFields = messageFields([2, 3, 8, 9, 12, 14], [1, 4, 5, 6, 7, 10, 11, 13, 16]);

/** TensorProto.DataType -> bytes per element in raw_data, and the typed field that may hold the elements instead. */
const elementTypes: Readonly<Record<number, { width: number; field: number | undefined }>> = {
  1: { width: 4, field: 4 }, // float: float_data
  2: { width: 1, field: 5 }, // uint8: int32_data
  3: { width: 1, field: 5 }, // int8
  4: { width: 2, field: 5 }, // uint16
  5: { width: 2, field: 5 }, // int16
  6: { width: 4, field: 5 }, // int32
  7: { width: 8, field: 7 }, // int64: int64_data
  9: { width: 1, field: 5 }, // bool
  10: { width: 2, field: undefined }, // float16: raw_data only
  11: { width: 8, field: 10 }, // double: double_data
};

interface TensorContent {
  name: string;
  type: number;
  dims: number[];
  raw: Range | undefined;
  /** typed field -> number of its elements */
  typed: Map<number, number>;
}

const externalData = (): Refusal =>
  new Refusal(
    'external-data',
    'a tensor keeps its data in another file; export again with external_data=False, so that one file holds everything',
  );

/** IEEE 754: all exponent bits set means infinity or not-a-number; the exponent lies in the last bytes of each element. */
function refuseNonFinite(bytes: Uint8Array, range: Range, width: 2 | 4 | 8, where: string): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = range.start; at < range.end; at += width) {
    const infinite =
      width === 2
        ? (view.getUint16(at, true) & 0x7c00) === 0x7c00
        : width === 4
          ? (view.getUint32(at, true) & 0x7f800000) === 0x7f800000
          : (view.getUint32(at + 4, true) & 0x7ff00000) === 0x7ff00000;
    if (infinite) {
      throw new Refusal(
        'non-finite-weights',
        `${where} holds an infinite number or not-a-number: training diverged; lower the learning rate and train again`,
      );
    }
  }
}

/** float_data, attribute floats and the like. */
export function refuseNonFiniteField(bytes: Uint8Array, field: Field, width: 4 | 8, where: string): number {
  const range = fixedOf(field, width);
  refuseNonFinite(bytes, range, width, where);
  return (range.end - range.start) / width;
}

function visitField(bytes: Uint8Array, field: Field, content: TensorContent): void {
  const add = (count: number): unknown =>
    content.typed.set(field.number, (content.typed.get(field.number) ?? 0) + count);
  switch (field.number) {
    case 1: {
      // dims are written unpacked by proto2 writers; packed dims are legal protobuf, but no exporter writes them
      const dim = intOf(bytes, field);
      if (dim < 0 || dim > 0x7fffffff || content.dims.length === maxRank) {
        throw new Refusal('malformed', `a tensor has a dimension of ${dim} or more than ${maxRank} dimensions`);
      }
      content.dims.push(dim);
      return;
    }
    case 2:
      content.type = intOf(bytes, field);
      return;
    case 4:
      add(refuseNonFiniteField(bytes, field, 4, 'float_data'));
      return;
    case 10:
      add(refuseNonFiniteField(bytes, field, 8, 'double_data'));
      return;
    case 5:
    case 7:
      add(countVarints(bytes, field));
      return;
    case 8:
      content.name = stringOf(bytes, field, maxNameBytes);
      return;
    case 9:
      content.raw = bytesOf(field);
      return;
    case 13:
      throw externalData();
    case 14:
      if (intOf(bytes, field) !== 0) throw externalData();
      return;
    case 3:
    case 6:
    case 11:
      throw new Refusal('unsupported-type', `a tensor uses field ${field.number} (segments, strings, unsigned 64-bit)`);
    default: // doc string and metadata say nothing about the data
  }
}

/** Refuses a tensor that is not entirely, exactly and finitely in the file. Returns its name ('' for none). */
export function checkTensor(bytes: Uint8Array, range: Range): string {
  const content: TensorContent = { name: '', type: 0, dims: [], raw: undefined, typed: new Map() };
  walk(bytes, range, 'TensorProto', tensorFields, (field) => visitField(bytes, field, content));
  const element = elementTypes[content.type];
  const where = `tensor ${content.name}`;
  if (element === undefined)
    throw new Refusal(
      'unsupported-type',
      `${where} has the element type ${content.type} of TensorProto; float, float16, double, int8 to int64, uint8, uint16 and bool run`,
    );
  const elements = content.dims.reduce((product, dim) => product * dim, 1);
  if (content.raw !== undefined) {
    if (content.typed.size > 0) throw new Refusal('malformed', `${where} holds its data twice`);
    if (content.raw.end - content.raw.start !== elements * element.width) {
      throw new Refusal(
        'malformed',
        `${where} has ${content.raw.end - content.raw.start} bytes for ${elements} elements`,
      );
    }
    const isFloat = content.type === 1 || content.type === 10 || content.type === 11;
    if (isFloat) refuseNonFinite(bytes, content.raw, element.width as 2 | 4 | 8, where);
    return content.name;
  }
  const held = element.field === undefined ? 0 : (content.typed.get(element.field) ?? 0);
  const otherFields = [...content.typed.keys()].some((field) => field !== element.field);
  if (held !== elements || otherFields) {
    throw new Refusal('malformed', `${where} does not hold its ${elements} elements`);
  }
  return content.name;
}
