/**
 * The bytes of a version tree's nodes: JSON that says what it is, so that `jq` reads it as well as we do. First the kind of
 * node, the version of this layout and the task kind, then the entries as columns, one for each field by its name: numbers
 * as a list, digests as base64 of one after the other, and what repeats as its values and an index per entry.
 *
 *     {"node":"leaf","version":1,"task":"classification","entries":{"versionNumber":[1,1],"md5":"...",
 *      "annotation":{"values":[{"label":"cat"}],"at":[0,0]},"split":{"values":["test","train"],"at":[1,0]},...}}
 *
 * The bytes are a function of the contents alone: fields have one order, values are sorted, annotations are canonical.
 */
import * as z from 'zod';
import { RetryLater } from '../errors.ts';
import { type TaskKind, taskOf } from '../task/task.ts';
import { type ChildEntry, isLeaf, type LeafEntry, type Node, noCounts } from './node.ts';
import { annotationSources, readKey, sampleKey, splits } from './record.ts';

/** of the layout: whoever changes it counts on, and keeps reading those before */
const layoutVersion = 1;
const md5Bytes = 16;
const digestBytes = 32;

/** one check of the whole list: a walk through a million samples reads ten million numbers */
const numbers = z.custom<number[]>(
  (list) => Array.isArray(list) && list.every((n) => Number.isSafeInteger(n) && n >= 0),
  'has to be a list of counts',
);
const repeated = <T extends z.ZodType>(value: T) => z.strictObject({ values: z.array(value), at: numbers });
const keys = { versionNumber: numbers, md5: z.string() };
const head = { version: z.literal(layoutVersion), task: z.string() };

const leaf = z.strictObject({
  ...{ node: z.literal('leaf'), ...head },
  entries: z.strictObject({
    ...{ ...keys, sha256: z.string(), sizeBytes: numbers, width: numbers, height: numbers, channels: numbers },
    mediaType: repeated(z.string()),
    annotation: repeated(z.record(z.string(), z.unknown())),
    source: repeated(z.enum(annotationSources)),
    split: repeated(z.enum(splits)),
  }),
});

const inner = z.strictObject({
  ...{ node: z.literal('inner'), ...head, level: z.int().min(1).max(100) },
  entries: z.strictObject({
    ...{ ...keys, digest: z.string(), count: numbers },
    bySplit: z.strictObject({ train: numbers, validation: numbers, test: numbers }),
    /** every class that any child has samples of */
    classes: z.array(z.string()),
    /** per child: index of a class, samples of it, index of the next class, ... */
    byClass: z.array(numbers),
  }),
});

const anyNode = z.looseObject({ node: z.string(), version: z.int() });

/** Encodes a node; equal nodes have equal bytes. */
export const encodeNode = (node: Node): Buffer =>
  Buffer.from(JSON.stringify(isLeaf(node) ? leafOf(node, taskOf(node)) : innerOf(node)));

/** Reads a node; throws on what `encodeNode` does not write: a RetryLater where a newer release has written it. */
export function decodeNode(bytes: Buffer): Node {
  const json = parse(bytes);
  const known = anyNode.safeParse(json);
  if (!known.success) throw new Error('these bytes are no version tree node');
  const { version } = known.data;
  if (version > layoutVersion)
    throw new RetryLater(
      `this node has layout version ${version}, and this release reads up to ${layoutVersion}: a newer one wrote it. Deploy that release again.`,
      { code: 'newer-document' },
    );
  const read = z.discriminatedUnion('node', [leaf, inner]).safeParse(json);
  if (!read.success) throw new Error(`this version tree node cannot be read: ${z.prettifyError(read.error)}`);
  const { task } = read.data;
  if (read.data.node === 'leaf') return { task, level: 0, entries: leafEntries(read.data.entries) };
  return { task, level: read.data.level, entries: childEntries(read.data.entries) };
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch {
    throw new Error('these bytes are no version tree node');
  }
}

function leafOf({ task, entries }: { task: string; entries: LeafEntry[] }, kind: TaskKind): z.input<typeof leaf> {
  const records = entries.map(({ record }) => record);
  const annotations = columnOf(records.map(({ annotation }) => kind.canonical(annotation)));
  return {
    ...{ node: 'leaf', version: layoutVersion, task },
    entries: {
      ...keysOf(entries),
      sha256: bytesOf(records.map((r) => r.sha256)),
      sizeBytes: records.map((r) => r.sizeBytes),
      width: records.map((r) => r.width),
      height: records.map((r) => r.height),
      channels: records.map((r) => r.channels),
      mediaType: columnOf(records.map((r) => r.mediaType)),
      annotation: { ...annotations, values: annotations.values.map((text) => JSON.parse(text)) },
      source: columnOf(records.map((r) => r.source)),
      split: columnOf(records.map((r) => r.split)),
    },
  };
}

function innerOf({ task, level, entries }: Node): z.input<typeof inner> {
  const children = entries as ChildEntry[];
  const totals = children.map((child) => child.totals);
  const names = new Set<string>();
  for (const { byClass } of totals) for (const name of Object.keys(byClass)) names.add(name);
  const classes = [...names].sort();
  const index = new Map(classes.map((name, i) => [name, i]));
  const pairsOf = (byClass: Record<string, number>): number[] => {
    const indexes = Object.keys(byClass).map((name) => index.get(name) ?? 0);
    const pairs: number[] = [];
    for (const i of indexes.sort((x, y) => x - y)) pairs.push(i, byClass[classes[i] ?? ''] ?? 0);
    return pairs;
  };
  return {
    ...{ node: 'inner', version: layoutVersion, task, level },
    entries: {
      ...keysOf(children),
      digest: bytesOf(children.map((child) => child.digest)),
      count: totals.map(({ count }) => count),
      bySplit: {
        train: totals.map(({ bySplit }) => bySplit.train),
        validation: totals.map(({ bySplit }) => bySplit.validation),
        test: totals.map(({ bySplit }) => bySplit.test),
      },
      classes,
      byClass: totals.map(({ byClass }) => pairsOf(byClass)),
    },
  };
}

function keysOf(entries: readonly { key: string }[]): { versionNumber: number[]; md5: string } {
  const parts = entries.map(({ key }) => readKey(key));
  return { versionNumber: parts.map((p) => p.versionNumber), md5: bytesOf(parts.map((p) => p.md5)) };
}

const bytesOf = (digests: readonly string[]): string => Buffer.from(digests.join(''), 'hex').toString('base64');

/** Values in code unit order, so that equal contents give equal bytes, and where each entry's stands among them. */
function columnOf<T extends string>(texts: readonly T[]): { values: T[]; at: number[] } {
  const values = [...new Set(texts)].sort();
  const index = new Map(values.map((value, i) => [value, i]));
  return { values, at: texts.map((value) => index.get(value) ?? 0) };
}

function leafEntries(columns: z.output<typeof leaf>['entries']): LeafEntry[] {
  const { versionNumber, sizeBytes, width, height, channels, mediaType, annotation, source, split } = columns;
  const count = versionNumber.length;
  const md5 = digestsOf(columns.md5, md5Bytes, count);
  const sha256 = digestsOf(columns.sha256, digestBytes, count);
  return versionNumber.map((number, i) => {
    const record = {
      md5: at(md5, i),
      sha256: at(sha256, i),
      sizeBytes: at(sizeBytes, i),
      mediaType: valueAt(mediaType, i),
      width: at(width, i),
      height: at(height, i),
      channels: at(channels, i),
      annotation: valueAt(annotation, i),
      source: valueAt(source, i),
      split: valueAt(split, i),
    };
    return { key: sampleKey(number, record.md5), record };
  });
}

function childEntries(columns: z.output<typeof inner>['entries']): ChildEntry[] {
  const { versionNumber, count, bySplit, classes } = columns;
  const md5 = digestsOf(columns.md5, md5Bytes, versionNumber.length);
  const digest = digestsOf(columns.digest, digestBytes, versionNumber.length);
  return versionNumber.map((number, i) => {
    const byClass = noCounts();
    const pairs = at(columns.byClass, i);
    for (let p = 0; p < pairs.length; p += 2) byClass[at(classes, at(pairs, p))] = at(pairs, p + 1);
    const splitCounts = {
      train: at(bySplit.train, i),
      validation: at(bySplit.validation, i),
      test: at(bySplit.test, i),
    };
    const totals = { count: at(count, i), byClass, bySplit: splitCounts };
    return { key: sampleKey(number, at(md5, i)), digest: at(digest, i), totals };
  });
}

/** Digests of so many bytes each, in hex. */
function digestsOf(base64: string, bytes: number, count: number): string[] {
  const all = Buffer.from(base64, 'base64').toString('hex');
  const digits = 2 * bytes;
  if (all.length !== digits * count) throw new Error('a column of the node has more or fewer entries than the others');
  return Array.from({ length: count }, (_, i) => all.slice(i * digits, (i + 1) * digits));
}

function at<T>(column: readonly T[], i: number): T {
  const value = column[i];
  if (value === undefined) throw new Error('a column of the node is shorter than the others');
  return value;
}

const valueAt = <T>({ values, at: indexes }: { values: readonly T[]; at: readonly number[] }, i: number): T =>
  at(values, at(indexes, i));
