/**
 * Nodes of the version tree and their bytes. A leaf holds records; an inner node holds, per child, its digest,
 * last key, and counts, so that totals need no walk. The encoding is a function of the contents alone.
 *
 * Layout: `DRT1`, level (1 byte), string table, entries; numbers are unsigned LEB128. A leaf entry takes about 65 bytes.
 */
import { createHash } from 'node:crypto';
import type { Split } from '../sample/document.ts';
import { labelSources, readKey, sampleKey, type SampleRecord, splits } from './record.ts';

export interface Totals {
  count: number;
  byClass: Record<string, number>;
  bySplit: Record<Split, number>;
}

export interface LeafEntry {
  key: string;
  record: SampleRecord;
}

export interface ChildEntry {
  /** last key below this child */
  key: string;
  digest: string;
  totals: Totals;
}

export type Node = { level: 0; entries: LeafEntry[] } | { level: number; entries: ChildEntry[] };

const magic = Buffer.from('DRT1');
const maxEntries = 1_000_000;

export const digestOfNode = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

export const isLeaf = (node: Node): node is { level: 0; entries: LeafEntry[] } => node.level === 0;

/** Counts that know no names but their own: classes may be called `constructor` or `toString`. */
const noCounts = (): Record<string, number> => Object.create(null) as Record<string, number>;

/** Counts over a node's entries. */
export function totalsOf(node: Node): Totals {
  const totals: Totals = { count: 0, byClass: noCounts(), bySplit: { train: 0, validation: 0, test: 0 } };
  if (isLeaf(node)) {
    for (const { record } of node.entries) {
      totals.count++;
      totals.byClass[record.label] = (totals.byClass[record.label] ?? 0) + 1;
      totals.bySplit[record.split]++;
    }
    return totals;
  }
  for (const child of node.entries as ChildEntry[]) {
    totals.count += child.totals.count;
    for (const [label, n] of Object.entries(child.totals.byClass))
      totals.byClass[label] = (totals.byClass[label] ?? 0) + n;
    for (const split of splits) totals.bySplit[split] += child.totals.bySplit[split];
  }
  return totals;
}

class Writer {
  #bytes = Buffer.allocUnsafe(64 * 1024);
  #at = 0;
  #reserve(more: number): void {
    if (this.#at + more <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + more));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
  number(value: number): void {
    this.#reserve(8);
    let rest = value;
    while (rest > 127) {
      this.#bytes[this.#at++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#at++] = rest;
  }
  hex(text: string): void {
    this.#reserve(text.length / 2);
    this.#at += this.#bytes.write(text, this.#at, 'hex');
  }
  text(value: string): void {
    const bytes = Buffer.from(value, 'utf8');
    this.number(bytes.length);
    this.raw(bytes);
  }
  raw(bytes: Buffer): void {
    this.#reserve(bytes.length);
    this.#at += bytes.copy(this.#bytes, this.#at);
  }
  done(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#at));
  }
}

class Reader {
  readonly #bytes: Buffer;
  #at: number;
  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }
  number(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 8; i++) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw new Error('the node ends too early');
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
    throw new Error('a number in the node is too long');
  }
  #take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new Error('the node ends too early');
    const part = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return part;
  }
  hex(bytes: number): string {
    return this.#take(bytes).toString('hex');
  }
  text(): string {
    return this.#take(this.number()).toString('utf8');
  }
  get ended(): boolean {
    return this.#at === this.#bytes.length;
  }
}

/** Strings of a node in code unit order, so that equal contents give equal bytes. */
function stringTable(node: Node): string[] {
  const strings = new Set<string>();
  if (isLeaf(node)) {
    for (const { record } of node.entries) strings.add(record.label).add(record.mediaType);
  } else {
    for (const child of node.entries as ChildEntry[])
      for (const label of Object.keys(child.totals.byClass)) strings.add(label);
  }
  return [...strings].sort();
}

function writeKey(writer: Writer, key: string): void {
  const { versionNumber, md5 } = readKey(key);
  writer.number(versionNumber);
  writer.hex(md5);
}

export function encodeNode(node: Node): Buffer {
  const writer = new Writer();
  const strings = stringTable(node);
  const index = new Map(strings.map((s, i) => [s, i]));
  const at = (s: string): number => index.get(s) ?? 0;
  writer.raw(magic);
  writer.number(node.level);
  writer.number(strings.length);
  for (const s of strings) writer.text(s);
  writer.number(node.entries.length);
  if (isLeaf(node)) {
    for (const { key, record } of node.entries) {
      writeKey(writer, key);
      writer.hex(record.sha256);
      const flags = labelSources.indexOf(record.labelSource) * splits.length + splits.indexOf(record.split);
      const numbers = [
        record.sizeBytes,
        record.width,
        record.height,
        record.channels,
        at(record.mediaType),
        at(record.label),
        flags,
      ];
      for (const n of numbers) writer.number(n);
    }
    return writer.done();
  }
  for (const child of node.entries as ChildEntry[]) {
    writeKey(writer, child.key);
    writer.hex(child.digest);
    writer.number(child.totals.count);
    for (const split of splits) writer.number(child.totals.bySplit[split]);
    const labels = Object.keys(child.totals.byClass).sort();
    writer.number(labels.length);
    for (const label of labels) {
      writer.number(at(label));
      writer.number(child.totals.byClass[label] ?? 0);
    }
  }
  return writer.done();
}

/** Reads a node; throws on anything that `encodeNode` does not write. */
export function decodeNode(bytes: Buffer): Node {
  if (!bytes.subarray(0, 4).equals(magic)) throw new Error('these bytes are no version tree node');
  const reader = new Reader(bytes, 4);
  const level = reader.number();
  const strings = Array.from({ length: Math.min(reader.number(), maxEntries) }, () => reader.text());
  const count = Math.min(reader.number(), maxEntries);
  const node: Node =
    level === 0
      ? { level: 0, entries: Array.from({ length: count }, () => readLeafEntry(reader, strings)) }
      : { level, entries: Array.from({ length: count }, () => readChildEntry(reader, strings)) };
  if (!reader.ended) throw new Error('bytes follow the end of the node');
  return node;
}

function readLeafEntry(reader: Reader, strings: string[]): LeafEntry {
  const versionNumber = reader.number();
  const md5 = reader.hex(16);
  const sha256 = reader.hex(32);
  const sizeBytes = reader.number();
  const width = reader.number();
  const height = reader.number();
  const channels = reader.number();
  const mediaType = strings[reader.number()];
  const label = strings[reader.number()];
  const flags = reader.number();
  const labelSource = labelSources[Math.floor(flags / splits.length)];
  const split = splits[flags % splits.length];
  if (mediaType === undefined || label === undefined || labelSource === undefined || split === undefined) {
    throw new Error('the node names a string or a source that it does not have');
  }
  const record = { md5, sha256, sizeBytes, mediaType, width, height, channels, label, labelSource, split };
  return { key: sampleKey(versionNumber, md5), record };
}

function readChildEntry(reader: Reader, strings: string[]): ChildEntry {
  const key = sampleKey(reader.number(), reader.hex(16));
  const digest = reader.hex(32);
  const count = reader.number();
  const bySplit = { train: reader.number(), validation: reader.number(), test: reader.number() };
  const byClass = noCounts();
  const labels = reader.number();
  for (let i = 0; i < labels; i++) {
    const label = strings[reader.number()];
    if (label === undefined) throw new Error('the node names a class that it does not have');
    byClass[label] = reader.number();
  }
  return { key, digest, totals: { count, byClass, bySplit } };
}
