import { type ChildEntry, type Node, type Totals } from './node.ts';
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
}
export declare const defaultParameters: TreeParameters;
/** Cuts a sequence of entries into nodes, from a boundary on; the cut depends on the keys alone. */
export declare class Chunker<
  E extends {
    key: string;
  },
> {
  #private;
  readonly chunks: E[][];
  constructor(level: number, parameters: TreeParameters);
  add(entry: E): void;
  /** nothing is pending: the sequence so far ends at a boundary */
  get atBoundary(): boolean;
  flush(): void;
}
/** Reads a node and checks that its bytes are what the digest says. */
export declare function readNode(store: NodeStore, digest: string): Promise<Node>;
export interface EncodedNode {
  digest: string;
  bytes: Buffer;
  node: Node;
  entry: ChildEntry;
}
/** Encodes a node together with the entry by which its parent refers to it. */
export declare function encoded(node: Node): EncodedNode;
/** Counts of a whole version, read from its root alone. */
export declare function totals(store: NodeStore, root: string | null): Promise<Totals>;
