/** Comparing two versions: equal subtrees are skipped unread. */
import { type ChildEntry, isLeaf, type LeafEntry } from './node.ts';
import type { SampleRecord } from './record.ts';
import { type NodeStore, readNode } from './tree.ts';

export interface Change {
  key: string;
  /** undefined: the key is new */
  before?: SampleRecord;
  /** undefined: the key is gone */
  after?: SampleRecord;
}

type Item = { node: string; level: number } | { entry: LeafEntry };

/** What is still to be compared of one version, in key order; nodes are opened only when they must be. */
class Side {
  readonly #store: NodeStore;
  /** last is next */
  readonly #stack: Item[] = [];
  constructor(store: NodeStore, root: string | null) {
    this.#store = store;
    // the level of a root is known once it is read; it is opened before anything below it
    if (root !== null) this.#stack.push({ node: root, level: Number.POSITIVE_INFINITY });
  }
  get head(): Item | undefined {
    return this.#stack.at(-1);
  }
  drop(): void {
    this.#stack.pop();
  }
  async open(): Promise<void> {
    const item = this.#stack.pop();
    if (item === undefined || !('node' in item)) return;
    const node = await readNode(this.#store, item.node);
    const items: Item[] = isLeaf(node)
      ? node.entries.map((entry) => ({ entry }))
      : (node.entries as ChildEntry[]).map((child) => ({ node: child.digest, level: node.level - 1 }));
    this.#stack.push(...items.reverse());
  }
}

/** Changes from version `before` to version `after` (roots; null is the empty version), in key order. */
export async function* diff(store: NodeStore, before: string | null, after: string | null): AsyncGenerator<Change> {
  const a = new Side(store, before);
  const b = new Side(store, after);
  for (;;) {
    const left = a.head;
    const right = b.head;
    if (left === undefined && right === undefined) return;
    if (left !== undefined && right !== undefined && 'node' in left && 'node' in right && left.node === right.node) {
      a.drop();
      b.drop();
    } else if (
      left !== undefined &&
      'node' in left &&
      !(right !== undefined && 'node' in right && right.level > left.level)
    ) {
      await a.open();
    } else if (right !== undefined && 'node' in right) {
      await b.open();
    } else {
      yield* step(a, b, left, right);
    }
  }
}

function* step(a: Side, b: Side, left: Item | undefined, right: Item | undefined): Generator<Change> {
  const l = left !== undefined && 'entry' in left ? left.entry : undefined;
  const r = right !== undefined && 'entry' in right ? right.entry : undefined;
  if (l !== undefined && (r === undefined || l.key < r.key)) {
    a.drop();
    yield { key: l.key, before: l.record };
  } else if (r !== undefined && (l === undefined || r.key < l.key)) {
    b.drop();
    yield { key: r.key, after: r.record };
  } else if (l !== undefined && r !== undefined) {
    a.drop();
    b.drop();
    if (!sameRecord(l.record, r.record)) yield { key: l.key, before: l.record, after: r.record };
  }
}

const sameRecord = (a: SampleRecord, b: SampleRecord): boolean =>
  (Object.keys(a) as (keyof SampleRecord)[]).every(
    // what is read from a node is in its canonical form, so that equal annotations are written as the same text
    (field) =>
      a[field] === b[field] || (field === 'annotation' && JSON.stringify(a[field]) === JSON.stringify(b[field])),
  );

export interface ChangePage {
  /** of the whole difference */
  counts: { added: number; removed: number; relabelled: number };
  /** in key order */
  changes: Change[];
  /** key of the last change, when others follow */
  last: string | undefined;
}

/** One page of a difference: at most `limit` changes after the key `seen`, of `maxBytes` or one more, and the counts of all. */
export async function changePage(
  store: NodeStore,
  [before, after]: [string | null, string | null],
  { seen, limit, maxBytes = Number.POSITIVE_INFINITY }: { seen: string; limit: number; maxBytes?: number },
): Promise<ChangePage> {
  const counts = { added: 0, removed: 0, relabelled: 0 };
  const changes: Change[] = [];
  let [more, bytes] = [false, 0];
  for await (const change of diff(store, before, after)) {
    counts[change.after === undefined ? 'removed' : change.before === undefined ? 'added' : 'relabelled']++;
    if (change.key <= seen) continue;
    if (more || changes.length === limit || bytes > maxBytes) more = true;
    else {
      changes.push(change);
      bytes += Buffer.byteLength(JSON.stringify(change));
    }
  }
  return { counts, changes, last: more ? changes.at(-1)?.key : undefined };
}
