/** The documents of the version history: commit windows, the head, versions. */
import type { DocumentBase } from '../delivery/document.ts';
import type { Split } from '../sample/document.ts';
/** id: generation, zero-padded; pk: project. One chain of looks per commit window. */
export interface WindowDocument extends DocumentBase {
  openedAt: string;
  /** id of the message that counts; any other is a duplicate */
  nextMessage: string;
  /** what was staged in it is committed: looks that are still under way end */
  closed: boolean;
}
export interface VersionSummary {
  /** the kind that knows its samples' annotations */
  task: string;
  /** hash(content id, parent, number) */
  version: string;
  number: number;
  /** content id: digest of the tree's root node */
  root: string;
  parent: string | null;
  samples: number;
  byClass: Record<string, number>;
  bySplit: Record<Split, number>;
  changes: {
    added: number;
    removed: number;
    relabelled: number;
  };
  bytesWritten: number;
  nodesWritten: number;
  createdAt: string;
}
/** id: `head`; pk: project */
export interface HeadDocument extends DocumentBase {
  /** what is staged from now on belongs to this window; those before are being committed, or are */
  generation: number;
  /** newest generation whose window is open and has its message sent: whoever stages looks here first. Missing: none */
  windowOf?: number;
  head: VersionSummary | null;
  /** the head's samples still have to be marked and its version document written */
  unfinished: boolean;
  /**
   * Grows when samples are taken out of the staged ones without a new version: a commit that has read them before must
   * not become the head. Missing: that has never happened
   */
  fence?: number;
}
/** id: version id; pk: project */
export interface VersionDocument extends DocumentBase, VersionSummary {}
