/**
 * The version tree: a prolly tree (content-addressed, history-independent search tree). Its root is a function of the
 * set of (key, record) alone. docs/designs/2026-11-version-tree.md has the parameters and what they cost.
 */
import { decodeNode, encodeNode } from './codec.ts';
import { type ChildEntry, digestOfNode, type Node, noCounts, type Totals, totalsOf } from './node.ts';

/** Content-addressed bytes; `put` of a digest that is there already does nothing. */
export interface NodeStore {
  get(digest: string): Promise<Buffer>;
  put(digest: string, bytes: Buffer): Promise<void>;
}

/** Entries per node: the average beyond `min` until a boundary, the least, and the most. */
export interface TreeParameters {
  target: number;
  min: number;
  max: number;
  /** a leaf ends with the entry that takes what its entries show beyond this many (a task kind's `counts`), however few they are; left out: none does */
  maxShown?: number;
}

/** With 2,000 things in each picture a leaf has 22,000 of them, some 4 MB. */
export const defaultParameters: TreeParameters = { target: 256, min: 64, max: 1024, maxShown: 20_000 };

/** FNV-1a over the key, salted by level (else every key of an inner node would be a boundary), then murmur3's finaliser. */
function keyHash(key: string, level: number): number {
  let h = 0x811c9dc5 ^ level;
  for (let i = 0; i < key.length; i++) h = Math.imul(h ^ key.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Cuts a sequence of entries into nodes, from a boundary on; the cut depends on the keys, and where entries show very much on how much. */
export class Chunker<E extends { key: string }> {
  readonly #level: number;
  readonly #parameters: TreeParameters;
  #pending: E[] = [];
  #shown = 0;
  readonly chunks: E[][] = [];

  constructor(level: number, parameters: TreeParameters) {
    this.#level = level;
    this.#parameters = parameters;
  }

  /** `shown`: how many things the entry shows */
  add(entry: E, shown: number): void {
    const { min, max, target, maxShown = Number.POSITIVE_INFINITY } = this.#parameters;
    this.#pending.push(entry);
    this.#shown += shown;
    const size = this.#pending.length;
    if (
      size >= max ||
      this.#shown > maxShown ||
      (size >= min && keyHash(entry.key, this.#level) < 0x1_0000_0000 / target)
    )
      this.flush();
  }

  /** nothing is pending: the sequence so far ends at a boundary */
  get atBoundary(): boolean {
    return this.#pending.length === 0;
  }

  flush(): void {
    if (this.#pending.length > 0) this.chunks.push(this.#pending);
    this.#pending = [];
    this.#shown = 0;
  }
}

/** Reads a node and checks that its bytes are what the digest says. */
export async function readNode(store: NodeStore, digest: string): Promise<Node> {
  const bytes = await store.get(digest);
  const actual = digestOfNode(bytes);
  if (actual !== digest) throw new Error(`node ${digest} has bytes of ${actual}: the store is damaged`);
  return decodeNode(bytes);
}

export interface EncodedNode {
  digest: string;
  bytes: Buffer;
  node: Node;
  entry: ChildEntry;
}

/** Encodes a node together with the entry by which its parent refers to it. */
export function encoded(node: Node): EncodedNode {
  const bytes = encodeNode(node);
  const digest = digestOfNode(bytes);
  const last = node.entries.at(-1);
  if (last === undefined) throw new Error('a node without entries is never written');
  return { digest, bytes, node, entry: { key: last.key, digest, totals: totalsOf(node) } };
}

/** Counts of a whole version, read from its root alone. */
export async function totals(store: NodeStore, root: string | null): Promise<Totals> {
  if (root === null) return { count: 0, byClass: noCounts(), bySplit: { train: 0, validation: 0, test: 0 } };
  return totalsOf(await readNode(store, root));
}
