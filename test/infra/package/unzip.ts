/** Reads zip files by their directory, as those who unpack them do. */
import { crc32, inflateRawSync } from 'node:zlib';

interface ZipFile {
  name: string;
  /** Unix permissions and type */
  mode: number;
  body: Buffer;
}

/** The files of an archive in its order. Throws where the directory, a header or a checksum is not right. */
export function unzip(archive: Buffer): ZipFile[] {
  const end = archive.length - 22;
  if (archive.toString('latin1', end, end + 4) !== 'PK\x05\x06') throw new Error('no end of the directory');
  const files: ZipFile[] = [];
  let at = archive.readUInt32LE(end + 16);
  for (let i = 0; i < archive.readUInt16LE(end + 10); i++) {
    if (archive.toString('latin1', at, at + 4) !== 'PK\x01\x02') throw new Error(`no directory record at ${at}`);
    const nameLength = archive.readUInt16LE(at + 28);
    const name = archive.toString('utf8', at + 46, at + 46 + nameLength);
    const local = archive.readUInt32LE(at + 42);
    if (archive.toString('latin1', local, local + 4) !== 'PK\x03\x04') throw new Error(`${name} has no header`);
    const body = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
    const bytes = inflateRawSync(archive.subarray(body, body + archive.readUInt32LE(at + 20)));
    if (bytes.length !== archive.readUInt32LE(at + 24) || crc32(bytes) !== archive.readUInt32LE(at + 16))
      throw new Error(`${name} is damaged`);
    files.push({ name, mode: archive.readUInt32LE(at + 38) >>> 16, body: bytes });
    at += 46 + nameLength + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
  }
  return files;
}
