/** Where the nodes of a project's version trees live: `datasets/{project}/tree/{first two}/{rest}`, written once. */
import { RetryLater } from '../errors.ts';
import type { Blobs } from '../ports.ts';
import type { NodeStore } from './tree.ts';

/** Largest node that is ever read: 1,024 entries of a leaf, or of an inner node with counts of 1,000 classes. */
const maxNodeBytes = 32 * 1024 * 1024;

/** A node store over blobs; the digest names the blob, so a node that is there already is left alone. */
export function treeStore(blobs: Blobs, project: string): NodeStore {
  const nameOf = (digest: string): string => `${project}/tree/${digest.slice(0, 2)}/${digest.slice(2)}`;
  return {
    async get(digest) {
      const found = await blobs.get('datasets', nameOf(digest), { maxBytes: maxNodeBytes });
      if (found === undefined || found === 'too-large')
        throw new RetryLater(`node ${digest} of ${project} cannot be read`);
      return found.body;
    },
    async put(digest, bytes) {
      await blobs.create('datasets', nameOf(digest), bytes, { contentType: 'application/octet-stream' });
    },
  };
}
