/** Damage: valid bytes flipped, cut, spliced, repeated and overwritten with numbers at their edges. */
import * as fc from 'fast-check';

type Damage = (bytes: Buffer) => Buffer;

/** values that lengths and sizes go wrong at */
const edges = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];
const place = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
const at = (share: number, bytes: Buffer): number => Math.floor(share * bytes.length);

const flip = fc.tuple(place, fc.nat({ max: 7 })).map(([share, bit]): Damage => (bytes) => {
  if (bytes.length === 0) return bytes;
  const copy = Buffer.from(bytes);
  copy[at(share, bytes)] = (copy[at(share, bytes)] ?? 0) ^ (1 << bit);
  return copy;
});
const overwrite = fc
  .tuple(place, fc.constantFrom(...edges), fc.constantFrom(1, 2, 4), fc.boolean())
  .map(([share, value, width, little]): Damage => (bytes) => {
    const start = at(share, bytes);
    if (start + width > bytes.length) return bytes;
    const copy = Buffer.from(bytes);
    const fitting = value % 2 ** (8 * width);
    if (little) copy.writeUIntLE(fitting, start, width);
    else copy.writeUIntBE(fitting, start, width);
    return copy;
  });
const cut = place.map(
  (share): Damage =>
    (bytes) =>
      bytes.subarray(0, at(share, bytes)),
);
const remove = fc.tuple(place, place).map(([a, b]): Damage => (bytes) => {
  const [from, to] = [at(a, bytes), at(b, bytes)].sort((x, y) => x - y) as [number, number];
  return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
});
const repeat = fc.tuple(place, place, fc.nat({ max: 20 })).map(([a, b, times]): Damage => (bytes) => {
  const [from, to] = [at(a, bytes), at(b, bytes)].sort((x, y) => x - y) as [number, number];
  const part = bytes.subarray(from, Math.min(to, from + 2000));
  return Buffer.concat([bytes.subarray(0, to), ...Array<Buffer>(times).fill(part), bytes.subarray(to)]);
});
const insert = fc.tuple(place, fc.uint8Array({ maxLength: 40 })).map(
  ([share, more]): Damage =>
    (bytes) =>
      Buffer.concat([bytes.subarray(0, at(share, bytes)), more, bytes.subarray(at(share, bytes))]),
);

/** One of the originals, damaged in one to six ways; or its head before the tail of another. */
export function damaged(originals: readonly Buffer[]): fc.Arbitrary<Buffer> {
  const original = fc.constantFrom(...originals);
  const damage = fc.oneof(
    { arbitrary: flip, weight: 4 },
    { arbitrary: overwrite, weight: 4 },
    cut,
    remove,
    repeat,
    insert,
  );
  const spliced = fc
    .tuple(original, original, place, place)
    .map(([a, b, from, to]) => Buffer.concat([a.subarray(0, at(from, a)), b.subarray(at(to, b))]));
  return fc
    .tuple(fc.oneof({ arbitrary: original, weight: 5 }, spliced), fc.array(damage, { minLength: 1, maxLength: 6 }))
    .map(([bytes, damages]) => damages.reduce((broken, one) => one(broken), bytes));
}

/** Bytes of any kind, some behind the beginning of an original. */
export function anyBytes(originals: readonly Buffer[]): fc.Arbitrary<Buffer> {
  const random = fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes));
  const headed = fc.tuple(fc.constantFrom(...originals), fc.nat({ max: 64 }), random);
  return fc.oneof(
    random,
    headed.map(([original, length, rest]) => Buffer.concat([original.subarray(0, length), rest])),
  );
}
