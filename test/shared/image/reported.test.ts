import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { type AcceptedImage, createImageReader } from '../../../shared/image/decode.ts';

const reader = createImageReader();
const file = (name: string) => readFile(`test/fixtures/pictures/${name}`);

async function read(name: string, declared: string): Promise<AcceptedImage> {
  const verdict = await reader.inspect(await file(name), declared);
  if (!verdict.ok) throw new Error(verdict.detail);
  return verdict;
}

test('a JPEG with a second one behind it keeps nothing of the second, nor of the index that points to it', async () => {
  const bytes = await file('mpo.jpg');
  const stored = await read('mpo.jpg', 'image/jpeg');
  expect(stored.trailingBytes).toBeGreaterThan(100);
  expect(stored.bytes.length).toBeLessThanOrEqual(bytes.length - stored.trailingBytes);
  expect(stored.bytes.includes('MPF\0')).toBe(false);
  expect(stored.bytes.subarray(-2).toString('hex')).toBe('ffd9');
  expect(stored.bytes.indexOf(Buffer.from([0xff, 0xd8, 0xff]), 2)).toBe(-1);
  expect((await sharp(stored.bytes).raw().toBuffer()).equals(await sharp(bytes).raw().toBuffer())).toBe(true);
});

test('a JPEG filled up with zeros loses them', async () => {
  const stored = await read('padded.jpg', 'image/jpeg');
  expect(stored.trailingBytes).toBeGreaterThan(0);
  expect(stored.bytes.subarray(-2).toString('hex')).toBe('ffd9');
});

test('a JPEG that is called PNG is the JPEG it is, to be stored and to be scored', async () => {
  const noted = { mediaType: 'image/jpeg', declaredType: 'image/png' };
  expect(await read('jpeg-named.png', 'image/png')).toMatchObject(noted);
  const spec = { width: 8, height: 8, channels: 3 } as const;
  expect(await reader.preprocess(await file('jpeg-named.png'), 'image/png', spec)).toMatchObject({
    ok: true,
    ...noted,
  });
});

test('12 bits in 16 are accepted with a warning that names the setting', async () => {
  const { warnings } = await read('xray-12-of-16.png', 'image/png');
  expect(warnings).toEqual([{ code: 'narrow-range', detail: expect.stringMatching(/12 of them.*image\.range/) }]);
});

test('the same pixels compressed twice have one digest and two files', async () => {
  const [once, twice] = [await read('same-pixels-1.png', 'image/png'), await read('same-pixels-9.png', 'image/png')];
  expect(once.pixelDigest).toBe(twice.pixelDigest);
  expect(once.bytes.equals(twice.bytes)).toBe(false);
});
