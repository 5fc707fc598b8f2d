/**
 * The part of the protobuf wire format that ONNX needs. Reading is strict: whatever two parsers could understand
 * differently (a repeated singular field, an unknown field, a group) is refused, since onnxruntime reads the same bytes again.
 * https://protobuf.dev/programming-guides/encoding/
 */

/** A field's payload: bytes `start`..`end`; for varints the value itself lies there still encoded. */
export interface Field {
  number: number;
  wire: number;
  start: number;
  end: number;
}

export type Range = { start: number; end: number };

/** The bytes are not what they should be. `reason` is for machines, the message for people. */
export class Refusal extends Error {
  readonly reason: string;
  constructor(reason: string, detail: string) {
    super(detail);
    this.reason = reason;
  }
}

const malformed = (detail: string): Refusal => new Refusal('malformed', detail);

/** Where the varint at `at` ends; at most ten bytes. */
function varintEnd(bytes: Uint8Array, at: number, end: number): number {
  const limit = Math.min(end, at + 10);
  for (let i = at; i < limit; i++) if ((bytes[i] ?? 0) < 0x80) return i + 1;
  throw malformed(`varint at ${at} does not end`);
}

/** A varint below 2^32 (tags and lengths). */
function smallVarint(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  let scale = 1;
  for (let i = start; i < end; i++, scale *= 128) value += ((bytes[i] ?? 0) & 0x7f) * scale;
  if (value >= 2 ** 32) throw malformed(`varint at ${start} is too large`);
  return value;
}

function payloadEnd(bytes: Uint8Array, wire: number, at: number, end: number): Range {
  if (wire === 0) return { start: at, end: varintEnd(bytes, at, end) };
  if (wire === 1) return { start: at, end: at + 8 };
  if (wire === 5) return { start: at, end: at + 4 };
  if (wire !== 2) throw malformed(`wire type ${wire} at ${at}`);
  const start = varintEnd(bytes, at, end);
  return { start, end: start + smallVarint(bytes, at, start) };
}

/** The fields a message may have: true where one may come many times. */
type Fields = ReadonlyMap<number, boolean>;

/** Declares a message's fields by number: those that come once at most, and those that may repeat. */
export function messageFields(once: number[], many: number[]): Fields {
  return new Map([...once.map((field) => [field, false] as const), ...many.map((field) => [field, true] as const)]);
}

/** Calls `visit` for every field of one message, in order. Refuses any field that `fields` does not allow. */
export function walk(
  bytes: Uint8Array,
  range: Range,
  message: string,
  fields: Fields,
  visit: (field: Field) => void,
): void {
  const seen = new Set<number>();
  let at = range.start;
  while (at < range.end) {
    const tagEnd = varintEnd(bytes, at, range.end);
    const tag = smallVarint(bytes, at, tagEnd);
    const number = Math.floor(tag / 8);
    const repeats = fields.get(number);
    if (repeats === undefined) throw malformed(`${message} has an unknown field ${number}`);
    if (!repeats) {
      if (seen.has(number)) throw malformed(`${message} repeats field ${number}`);
      seen.add(number);
    }
    const payload = payloadEnd(bytes, tag & 7, tagEnd, range.end);
    if (payload.end > range.end) throw malformed(`${message} field ${number} reaches beyond its message`);
    visit({ number, wire: tag & 7, ...payload });
    at = payload.end;
  }
}

function expectWire(field: Field, wire: number): void {
  if (field.wire !== wire) throw malformed(`field ${field.number} has wire type ${field.wire} instead of ${wire}`);
}

/** The payload of a nested message or of raw bytes. */
export function bytesOf(field: Field): Range {
  expectWire(field, 2);
  return field;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A string of at most `maxBytes` bytes. */
export function stringOf(bytes: Uint8Array, field: Field, maxBytes: number): string {
  expectWire(field, 2);
  if (field.end - field.start > maxBytes) throw malformed(`field ${field.number} has more than ${maxBytes} bytes`);
  try {
    return utf8.decode(bytes.subarray(field.start, field.end));
  } catch {
    throw malformed(`field ${field.number} is not UTF-8`);
  }
}

/** A signed 64-bit varint; beyond 2^53 the nearest number, which no checked value comes near. */
export function intOf(bytes: Uint8Array, field: Field): number {
  expectWire(field, 0);
  let value = 0n;
  let shift = 0n;
  for (let i = field.start; i < field.end; i++, shift += 7n) value |= BigInt((bytes[i] ?? 0) & 0x7f) << shift;
  return Number(BigInt.asIntN(64, value));
}

/** How many varints a repeated field adds, packed or not. */
export function countVarints(bytes: Uint8Array, field: Field): number {
  if (field.wire === 0) return 1;
  expectWire(field, 2);
  let count = 0;
  let at = field.start;
  while (at < field.end) {
    at = varintEnd(bytes, at, field.end);
    count++;
  }
  return count;
}

/** The payload of a repeated fixed-width field (4 or 8 bytes per element), packed or not. */
export function fixedOf(field: Field, width: 4 | 8): Range {
  if (field.wire !== 2) expectWire(field, width === 4 ? 5 : 1);
  if ((field.end - field.start) % width !== 0) throw malformed(`field ${field.number} holds a part of a number`);
  return field;
}

const littleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;
const encoder = new TextEncoder();

/** Appends protobuf fields to a growing buffer. */
export class ProtoWriter {
  private buffer = new Uint8Array(1024);
  private length = 0;

  private reserve(extra: number): void {
    if (this.length + extra <= this.buffer.length) return;
    const grown = new Uint8Array(Math.max(this.buffer.length * 2, this.length + extra));
    grown.set(this.buffer.subarray(0, this.length));
    this.buffer = grown;
  }

  private varint(value: number): void {
    this.reserve(10);
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest > 127n; rest >>= 7n) this.buffer[this.length++] = Number(rest & 127n) | 128;
    this.buffer[this.length++] = Number(rest);
  }

  int(field: number, value: number): this {
    this.varint(field * 8);
    this.varint(value);
    return this;
  }

  float(field: number, value: number): this {
    this.varint(field * 8 + 5);
    this.reserve(4);
    new DataView(this.buffer.buffer).setFloat32(this.length, value, true);
    this.length += 4;
    return this;
  }

  bytes(field: number, value: Uint8Array): this {
    this.varint(field * 8 + 2);
    this.varint(value.length);
    this.reserve(value.length);
    this.buffer.set(value, this.length);
    this.length += value.length;
    return this;
  }

  string(field: number, value: string): this {
    return this.bytes(field, encoder.encode(value));
  }

  /** Elements as they lie in memory, which is the wire's order only on little-endian machines. */
  raw(field: number, data: Float32Array | BigInt64Array): this {
    if (!littleEndian) throw new Error('ONNX files are written on little-endian machines only');
    return this.bytes(field, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }

  message(field: number, fill: (writer: ProtoWriter) => void): this {
    const inner = new ProtoWriter();
    fill(inner);
    return this.bytes(field, inner.finish());
  }

  finish(): Uint8Array {
    return this.buffer.slice(0, this.length);
  }
}
