/**
 * Writes zip files whose bytes depend on nothing but names and contents: no clock, no owner, names in order.
 * Format: PKWARE APPNOTE 6.3.10, without Zip64 (at most 4 GB and 65,535 files).
 */
import { promisify } from 'node:util';
import { crc32, deflateRaw } from 'node:zlib';

const deflate = promisify(deflateRaw);

const version = 20;
const madeOnUnix = 3 << 8;
/** names are UTF-8 */
const flags = 0x0800;
const deflated = 8;
/** 1980-01-01, the first day a zip can name */
const date = 0x0021;
const readableFile = 0o100644 * 0x10000;

interface Entry {
  name: Buffer;
  crc: number;
  sizeBytes: number;
  packed: Buffer;
  at: number;
}

/** What local header and directory say alike, from the version needed to the length of the extra field. */
function common({ name, crc, sizeBytes, packed }: Entry): Buffer {
  const header = Buffer.alloc(26);
  header.writeUInt16LE(version, 0);
  header.writeUInt16LE(flags, 2);
  header.writeUInt16LE(deflated, 4);
  header.writeUInt16LE(date, 8);
  header.writeUInt32LE(crc, 10);
  header.writeUInt32LE(packed.length, 14);
  header.writeUInt32LE(sizeBytes, 18);
  header.writeUInt16LE(name.length, 22);
  return header;
}

const signature = (text: string): Buffer => Buffer.from(text, 'latin1');

function directoryRecord(entry: Entry): Buffer {
  const tail = Buffer.alloc(14);
  tail.writeUInt32LE(readableFile, 6);
  tail.writeUInt32LE(entry.at, 10);
  const madeBy = Buffer.alloc(2);
  madeBy.writeUInt16LE(madeOnUnix | version);
  return Buffer.concat([signature('PK\x01\x02'), madeBy, common(entry), tail, entry.name]);
}

function end(entries: number, directoryBytes: number, directoryAt: number): Buffer {
  const record = Buffer.alloc(18);
  record.writeUInt16LE(entries, 4);
  record.writeUInt16LE(entries, 6);
  record.writeUInt32LE(directoryBytes, 8);
  record.writeUInt32LE(directoryAt, 12);
  return Buffer.concat([signature('PK\x05\x06'), record]);
}

/** Packs files by name (`/` between folders). `read` is called for one file after the other. */
export async function zip(names: string[], read: (name: string) => Promise<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  const entries: Entry[] = [];
  let at = 0;
  for (const name of [...names].sort()) {
    const body = await read(name);
    const packed = await deflate(body, { level: 9 });
    const entry = { name: Buffer.from(name), crc: crc32(body), sizeBytes: body.length, packed, at };
    const local = [signature('PK\x03\x04'), common(entry), entry.name, packed];
    for (const part of local) at += part.length;
    parts.push(...local);
    entries.push(entry);
  }
  const directory = Buffer.concat(entries.map(directoryRecord));
  return Buffer.concat([...parts, directory, end(entries.length, directory.length, at)]);
}
