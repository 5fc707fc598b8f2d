import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createInflate, inflateSync } from 'node:zlib';
import { type ImageRefusal, refuse, saveAgain, uploadAgain } from './structure.ts';
import type { PngStructure } from './structure-png.ts';

/** Up to here one synchronous call is faster than a stream and blocks for less than 2 ms. */
const synchronousBytes = 512 * 1024;

/**
 * Inflates the pixel data of a PNG, keeping nothing, and compares its size with what the header asks for.
 * Stops at the first byte too many, so extra rows and bombs cost no more than an honest picture of that size.
 * The decoder notices neither those nor bytes after the compressed stream.
 */
export async function checkPngData({ compressed, inflatedBytes }: PngStructure): Promise<ImageRefusal | null> {
  const size = compressed.reduce((sum, part) => sum + part.length, 0);
  // deflate adds 0.01 % to noise; far more means empty blocks, which cost time and hold nothing
  if (size > 2 * inflatedBytes + 65_536) return tooMuch(inflatedBytes);
  try {
    const { inflated, consumed } =
      inflatedBytes <= synchronousBytes
        ? inflateAtOnce(Buffer.concat(compressed, size), inflatedBytes)
        : await inflateStream(compressed, inflatedBytes);
    if (inflated < inflatedBytes) {
      return refuse(
        'truncated',
        `The pixel data of the PNG ends after ${inflated} of ${inflatedBytes} bytes. ${uploadAgain}`,
      );
    }
    if (inflated > inflatedBytes || consumed < size) return tooMuch(inflatedBytes);
    return null;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ERR_BUFFER_TOO_LARGE') return tooMuch(inflatedBytes);
    if (code === 'Z_BUF_ERROR')
      return refuse('truncated', `The compressed pixel data of the PNG stops early. ${uploadAgain}`);
    return refuse('corrupt', `The compressed pixel data of the PNG is damaged (${String(code)}). ${uploadAgain}`);
  }
}

type Inflated = { inflated: number; consumed: number };

function inflateAtOnce(compressed: Buffer, limitBytes: number): Inflated {
  // with `info` Node answers the engine too (documented for zlib's sync calls), but its types do not say so
  const result = inflateSync(compressed, { maxOutputLength: limitBytes, info: true }) as unknown as {
    buffer: Buffer;
    engine: { bytesWritten: number };
  };
  return { inflated: result.buffer.length, consumed: result.engine.bytesWritten };
}

async function inflateStream(compressed: Buffer[], limitBytes: number): Promise<Inflated> {
  const inflate = createInflate({ chunkSize: 256 * 1024 });
  let inflated = 0;
  const sink = new Writable({
    write(part: Buffer, _encoding, done) {
      inflated += part.length;
      done(
        inflated > limitBytes
          ? Object.assign(new Error('more pixels than announced'), { code: 'ERR_BUFFER_TOO_LARGE' })
          : null,
      );
    },
  });
  await pipeline(Readable.from(compressed), inflate, sink);
  return { inflated, consumed: inflate.bytesWritten };
}

function tooMuch(inflatedBytes: number): ImageRefusal {
  return refuse(
    'trailing-data',
    `The pixel data of the PNG goes on after the last row (${inflatedBytes} bytes): rows are hidden there, or it is a decompression bomb. ${saveAgain}`,
  );
}
