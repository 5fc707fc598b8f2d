/**
 * Resource ids (`_rid`): hierarchical bytes in base64 with `-` for `/`, as SDKs parse them (ResourceId.cs in the .NET SDK):
 * 4 bytes of the database, 4 of the container with the top bit set, 8 of the document, little-endian. The high nibble of the
 * last byte tells the kind: 0 document, 5 partition key range.
 */
const encode = (bytes: Buffer): string => bytes.toString('base64').replaceAll('/', '-');

/** `_rid` of database `number` (1 to 2^32 - 1). */
export function databaseRid(number: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(number);
  return encode(bytes);
}

function containerBytes(database: number, container: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32BE(database);
  // the top bit tells a container from a user of the same database
  bytes.writeUInt32BE((container | 0x80000000) >>> 0, 4);
  return bytes;
}

/** `_rid` of a container; numbers from 1. */
export function containerRid(database: number, container: number): string {
  return encode(containerBytes(database, container).subarray(0, 8));
}

/** Returns a function that makes the `_rid` of a container's documents; document numbers are safe integers. */
export function documentRids(database: number, container: number): (document: number) => string {
  const bytes = containerBytes(database, container);
  return (document) => {
    bytes.writeUInt32LE(document % 2 ** 32, 8);
    bytes.writeUInt32LE(Math.floor(document / 2 ** 32), 12);
    return encode(bytes);
  };
}

/** Number of the document with this `_rid` in a container; undefined for the `_rid` of anything else. */
export function documentNumber(rid: string, database: number, container: number): number | undefined {
  const bytes = Buffer.from(rid.replaceAll('-', '/'), 'base64');
  const isDocument =
    bytes.length === 16 && bytes.subarray(0, 8).equals(containerBytes(database, container).subarray(0, 8));
  return isDocument ? bytes.readUInt32LE(8) + bytes.readUInt32LE(12) * 2 ** 32 : undefined;
}

/** `_rid` of the one partition key range of a container. */
export function partitionKeyRangeRid(database: number, container: number): string {
  const bytes = containerBytes(database, container);
  bytes[8] = 2;
  bytes[15] = 0x50;
  return encode(bytes);
}
