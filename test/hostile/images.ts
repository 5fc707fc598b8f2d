/**
 * Files that are no sound picture, and a few odd ones that are. What the walk of a container refuses byte by byte is in
 * test/shared/image; here are whole files as they come off disks and networks. Expected: outcome and reason.
 */
import { deflateSync, gzipSync } from 'node:zlib';
import sharp from 'sharp';
import {
  findSegment,
  greyRows,
  insert,
  jpegSegment,
  picture,
  png,
  pngChunk,
  pngHeader,
  tiff,
  webp,
  webpCanvas,
  webpChunk,
} from '../shared/image/craft.ts';
import type { HostileCase } from './case.ts';
import type { Upload } from './uploads.ts';

type Case = [name: string, bytes: Buffer, expected: string];

const text = (content: string): Buffer => Buffer.from(content, 'latin1');
const ok = 'accepted dark';
/** what is left without its metadata is the sound picture */
const twin = 'duplicate dark';
const refused = (reason: string): string => `quarantined ${reason}`;

const magic: [string, string, string][] = [
  ['text', 'name,label\r\na,b\r\n', 'not-an-image'],
  ['HTML', '<!doctype html><script>alert(1)</script>', 'not-an-image'],
  ['SVG', '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', 'unsupported-format'],
  ['XML that grows', '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbb">]><svg>&b;</svg>', 'unsupported-format'],
  ['a GIF', 'GIF89a\x01\0\x01\0\0\0\0;', 'unsupported-format'],
  ['a GIF that is a script', 'GIF89a/*\x01\0*/=1;alert(1)', 'unsupported-format'],
  ['a BMP', `BM${'\0'.repeat(60)}`, 'unsupported-format'],
  ['a TIFF of one byte too few', 'II*\0\x08\0\0\0', 'truncated'],
  ['a BigTIFF', 'II+\0\x08\0\0\0', 'unsupported-format'],
  ['a HEIC', '\0\0\0\x18ftypheic\0\0\0\0', 'unsupported-format'],
  ['a video', '\0\0\0\x18ftypmp42\0\0\0\0', 'unsupported-format'],
  ['a PDF', '%PDF-1.7\n%\xe2\xe3', 'unsupported-format'],
  ['an icon', '\0\0\x01\0\x01\0\x10\x10', 'not-an-image'],
  ['a Photoshop file', '8BPS\0\x01', 'not-an-image'],
  ['JPEG XL', '\xff\x0a\xfa\x1f', 'unsupported-format'],
  ['JPEG 2000', '\0\0\0\x0cjP  \r\n\x87\n', 'unsupported-format'],
  ['PostScript', '%!PS-Adobe-3.0 EPSF-3.0\n(x) run', 'not-an-image'],
  ['a WAV', 'RIFF\x24\0\0\0WAVEfmt ', 'not-an-image'],
  ['a program of Windows', 'MZ\x90\0\x03', 'not-an-image'],
  ['a program of Linux', '\x7fELF\x02\x01\x01', 'not-an-image'],
  ['a script', '#!/bin/sh\nrm -rf /\n', 'not-an-image'],
  ['an archive', 'PK\x03\x04\x14\0', 'not-an-image'],
  ['a pickle', '\x80\x04\x95\x10\0\0\0cos\nsystem\n', 'not-an-image'],
  ['NULs', '\0'.repeat(5000), 'not-an-image'],
  ['PNG by its first four bytes', '\x89PNG', 'not-an-image'],
  ['a PNG signature alone', '\x89PNG\r\n\x1a\n', 'truncated'],
  ['a JPEG start alone', '\xff\xd8\xff', 'truncated'],
];

/** What mail, FTP, editors and half-understood clients make of a file; each is a real story. */
function mangled(format: string, bytes: Buffer): Case[] {
  const latin1 = bytes.toString('latin1');
  const broken = format === 'PNG' ? 'not-an-image' : undefined;
  return [
    [`${format} sent as text by FTP`, text(latin1.replaceAll('\r\n', '\n')), refused(broken ?? 'any')],
    [`${format} read as UTF-8 and written again`, Buffer.from(bytes.toString('utf8')), refused('not-an-image')],
    [`${format} in base64`, text(bytes.toString('base64')), refused('not-an-image')],
    [`${format} in a data address`, text(`data:image/png;base64,${bytes.toString('base64')}`), refused('not-an-image')],
    [`${format} in JSON`, text(JSON.stringify(bytes)), refused('not-an-image')],
    [`${format} with the head of its form`, Buffer.concat([text('--x\r\n\r\n'), bytes]), refused('not-an-image')],
    [`${format} in gzip`, gzipSync(bytes), refused('not-an-image')],
    [`${format} back to front`, Buffer.from(bytes).reverse(), refused('not-an-image')],
    [`${format} cut in half`, bytes.subarray(0, bytes.length >> 1), refused('truncated')],
    [
      `${format} behind a byte order mark`,
      Buffer.concat([Buffer.of(0xef, 0xbb, 0xbf), bytes]),
      refused('not-an-image'),
    ],
    [`${format} twice`, Buffer.concat([bytes, bytes]), format === 'PNG' ? twin : ok],
    [`${format} and an archive`, Buffer.concat([bytes, text('PK\x05\x06'), Buffer.alloc(18)]), twin],
    [`${format} and a page`, Buffer.concat([bytes, text('<html><script>alert(1)</script>')]), twin],
    [`${format} and a line break`, Buffer.concat([bytes, text('\r\n')]), twin],
  ].filter(([, , expected]) => expected !== refused('any')) as Case[];
}

async function wholeFiles(): Promise<Case[]> {
  const plain = await picture(33, 21).png().toBuffer();
  const jpeg = await picture(33, 21).jpeg().toBuffer();
  const still = await picture(33, 21).webp().toBuffer();
  const frame = findSegment(jpeg, 0xc0);
  const sized = (bytes: Buffer, at: number, width: number, height: number): Buffer => {
    const copy = Buffer.from(bytes);
    copy.writeUInt16BE(height, at);
    copy.writeUInt16BE(width, at + 2);
    return copy;
  };
  const page = { width: 9, height: 9, samples: 1, compression: 1, part: { rows: 1 }, data: Buffer.of(1) } as const;
  const php = jpegSegment(0xfe, '<?php system($_GET["c"]); ?>');
  const noise = sharp(Buffer.from(Array.from({ length: 48 * 48 * 3 }, (_, i) => (i * 7919) % 251)), {
    raw: { width: 48, height: 48, channels: 3 },
  });
  return [
    ...mangled('PNG', plain),
    ...mangled('JPEG', jpeg),
    ...mangled('WebP', still),
    ['PNG with a script in its text', insert(plain, 33, pngChunk('tEXt', text('Comment\0<?php x ?>'))), twin],
    [
      'PNG with a text that unpacks to 50 MB',
      insert(plain, 33, pngChunk('zTXt', Buffer.concat([text('a\0\0'), deflateSync(Buffer.alloc(5e7))]))),
      twin,
    ],
    ['PNG of 50,000 x 1', png(pngHeader(50_000, 1), greyRows(50_000, 1)), ok],
    ['PNG of 1 x 1', png(pngHeader(1, 1), greyRows(1, 1)), ok],
    ['PNG of 2^31 x 2^31', png(pngHeader(0x7fffffff, 0x7fffffff), greyRows(1, 1)), refused('too-many-pixels')],
    ['PNG of 2^32 - 1 x 1', png(pngHeader(0xffffffff, 1), greyRows(1, 1)), refused('corrupt')],
    ['PNG of no colour type', png(pngHeader(4, 4, [8, 5, 0, 0, 0]), greyRows(4, 4)), refused('corrupt')],
    ['PNG of another compression', png(pngHeader(4, 4, [8, 0, 9, 0, 0]), greyRows(4, 4)), refused('corrupt')],
    [
      'PNG of an iPhone (CgBI)',
      Buffer.concat([plain.subarray(0, 8), pngChunk('CgBI', Buffer.alloc(4)), plain.subarray(8)]),
      refused('corrupt'),
    ],
    ['PNG of 16 bits', await picture(9, 9).toColourspace('rgb16').png().toBuffer(), ok],
    ['PNG with a palette', await picture(33, 20).png({ palette: true }).toBuffer(), ok],
    ['JPEG with a script in its comment', insert(jpeg, 2, php), twin],
    ['JPEG with a page before its end', insert(jpeg, jpeg.length - 2, text('<script>')), twin],
    ['JPEG of another height', sized(jpeg, frame + 5, 33, 2100), refused('decode-failed')],
    ['JPEG of no height', sized(jpeg, frame + 5, 33, 0), refused('unsupported-format')],
    ['JPEG of 65,535 x 65,535', sized(jpeg, frame + 5, 65_535, 65_535), refused('too-many-pixels')],
    ['JPEG of four colours', await picture(33, 22).toColourspace('cmyk').jpeg().toBuffer(), ok],
    ['JPEG in many scans', await picture(33, 23).jpeg({ progressive: true }).toBuffer(), ok],
    [
      'JPEG with a place and a camera',
      await picture(33, 24)
        .withExif({ IFD0: { Make: 'Spy' }, IFD3: { GPSLatitude: '1/1 2/1 3/1' } })
        .jpeg()
        .toBuffer(),
      ok,
    ],
    [
      'WebP of 16,384 x 16,384 on its canvas',
      webp(webpCanvas(0, 16_384, 16_384), still.subarray(12)),
      refused('corrupt'),
    ],
    [
      'WebP with an archive in a chunk',
      webp(webpCanvas(0, 33, 21), still.subarray(12), webpChunk('ZIP ', text('PK\x03\x04'))),
      twin,
    ],
    ['WebP with transparency', await picture(33, 25).ensureAlpha(0.5).webp().toBuffer(), ok],
    ['noise', await noise.png().toBuffer(), ok],
    ['TIFF of one page', await picture(33, 26).tiff({ compression: 'lzw' }).toBuffer(), ok],
    ['TIFF of the same picture', await picture(33, 26).tiff({ compression: 'deflate' }).toBuffer(), twin],
    ['TIFF of two pages', tiff({ ...page, next: 8 }), refused('unsupported-format')],
    ['TIFF of 200,000 strips', tiff({ ...page, height: 200_000 }), refused('corrupt')],
    ['TIFF of 60,000 strips in one byte', tiff({ ...page, height: 60_000 }), refused('decode-failed')],
    ['the same picture again', plain, twin],
  ];
}

/** All of them; made anew each time, since some take sharp. */
export async function images(): Promise<HostileCase<Upload>[]> {
  const plain = await picture(33, 21).png().toBuffer();
  const cases: Case[] = [
    ['a sound picture', plain, ok],
    ['no bytes', Buffer.alloc(0), refused('empty')],
    ...magic.map(([name, content, reason]): Case => [name, text(content), refused(reason)]),
    ...(await wholeFiles()),
  ];
  return cases.map(([name, bytes, expected], i) => ({ name, input: { blob: `digits/dark/i${i}`, bytes }, expected }));
}
