/** Where a model came from that no training here made, in the words of who brought it. */
export interface Origin {
  kind: 'uploaded';
  /** name of the key that brought it */
  by: string;
  /** where it was made: an address, a repository, a name */
  source: string | null;
  notes: string | null;
  /** what was measured elsewhere; nothing here is decided by it */
  metrics: Record<string, number>;
  at: string;
}
