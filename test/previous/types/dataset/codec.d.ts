import { type Node } from './node.ts';
/** Encodes a node; equal nodes have equal bytes. */
export declare const encodeNode: (node: Node) => Buffer;
/** Reads a node; throws on what `encodeNode` does not write: a RetryLater where a newer release has written it. */
export declare function decodeNode(bytes: Buffer): Node;
