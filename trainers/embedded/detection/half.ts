/**
 * Numbers in 16 bits (IEEE 754 binary16): half the memory, and a part in 2,048 of precision. onnxruntime-node takes no
 * float16 tensor from Node 24, whose Float16Array it does not know, and Node 22 has none.
 */

const largest = 0x7bff;

function numberOf(half: number): number {
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  const size = exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25);
  return half >> 15 === 0 ? size : -size;
}

/** The number that each pattern of 16 bits stands for. */
export const numbers: Float32Array = Float32Array.from({ length: 2 ** 16 }, (_, half) => numberOf(half));

/** The nearest 16 bits of each number; beyond 65,504 that number, and below 0.00006, where a half has fewer digits, 0. */
export function halvesOf(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < bits.length; i++) {
    const bit = bits[i] ?? 0;
    // 13 bits of the fraction go; exponents count from 15 instead of from 127
    const size = (((bit & 0x7fffffff) + 0x1000) >>> 13) - (112 << 10);
    halves[i] = ((bit >>> 16) & 0x8000) | (size < 1 << 10 ? 0 : Math.min(size, largest));
  }
  return halves;
}
