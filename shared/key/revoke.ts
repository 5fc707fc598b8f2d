/** Revoking an API key. */
import type { Ports } from '../ports.ts';

/** Revokes a key, and says whether there was one: every process refuses it within the half minute for which it trusts what it has read. */
export const revokeKey = async ({ documents }: Pick<Ports, 'documents'>, id: string): Promise<boolean> =>
  (await documents.remove('keys', id, id)) === 'removed';
