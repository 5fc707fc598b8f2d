/** A version tree while it is edited: nodes are read once, those on the way to what changes ahead of it. */
import pMap from 'p-map';
import { type ChildEntry, isLeaf, type Node } from './node.ts';
import { type NodeStore, readNode } from './tree.ts';

/** nodes that are read at once */
const parallel = 16;

/** The tree below a root. */
export class OldTree {
  readonly #store: NodeStore;
  readonly root: string;
  readonly #nodes = new Map<string, Node>();
  constructor(store: NodeStore, root: string) {
    this.#store = store;
    this.root = root;
  }

  async node(digest: string): Promise<Node> {
    const known = this.#nodes.get(digest);
    if (known !== undefined) return known;
    const read = await readNode(this.#store, digest);
    this.#nodes.set(digest, read);
    return read;
  }

  /** Reads what lies on the way to the keys, level by level and in parallel. */
  async prefetch(keys: string[]): Promise<void> {
    let digests = new Set([this.root]);
    while (digests.size > 0) {
      const nodes = await pMap([...digests], (digest) => this.node(digest), { concurrency: parallel });
      const next = new Set<string>();
      for (const node of nodes) {
        if (isLeaf(node)) continue;
        const children = node.entries as ChildEntry[];
        for (const child of touched(children, keys)) next.add(child.digest);
      }
      digests = next;
    }
  }

  /** The node of a level that holds, or would hold, a key. */
  async holding(level: number, key: string): Promise<Node> {
    let node = await this.node(this.root);
    while (node.level > level) {
      const children = node.entries as ChildEntry[];
      const child = children[Math.min(lowerBound(children, key), children.length - 1)];
      if (child === undefined) throw new Error('an inner node has no children');
      node = await this.node(child.digest);
    }
    return node;
  }

  /** The node of a level that follows the one whose last key is `key`; undefined at the end. */
  async after(level: number, key: string): Promise<Node | undefined> {
    let way = await this.node(this.root);
    let beyond: ChildEntry | undefined;
    while (way.level > level) {
      const children = way.entries as ChildEntry[];
      const at = lowerBound(children, key);
      // the nearest subtree to the right of the way down
      beyond = children[at + 1] ?? beyond;
      const child = children[at];
      if (child === undefined) break;
      way = await this.node(child.digest);
    }
    if (beyond === undefined) return undefined;
    let node = await this.node(beyond.digest);
    while (node.level > level) node = await this.node((node.entries[0] as ChildEntry).digest);
    return node;
  }
}

/** Index of the first entry whose key is not below `key`. */
function lowerBound(entries: readonly { key: string }[], key: string): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((entries[middle]?.key ?? '') < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The children on the way to any of the (sorted) keys. */
function touched(children: readonly ChildEntry[], keys: readonly string[]): ChildEntry[] {
  return children.filter((child, i) => {
    const key = keys[i === 0 ? 0 : firstAbove(keys, children[i - 1]?.key ?? '')];
    return key !== undefined && (key <= child.key || i === children.length - 1);
  });
}

/** Index of the first of the (sorted) keys that is above `key`. */
export function firstAbove(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] ?? '') <= key) low = middle + 1;
    else high = middle;
  }
  return low;
}
