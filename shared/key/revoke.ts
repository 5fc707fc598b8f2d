/** Revoking an API key. */
import { TerminalError } from '../errors.ts';
import type { Ports } from '../ports.ts';
import type { KeyDocument } from './document.ts';
import { unknownKey } from './find.ts';

/** Revokes a key, and says whether there was one: every process refuses it within the half minute for which it trusts what it has read. */
export const revokeKey = async ({ documents }: Pick<Ports, 'documents'>, id: string): Promise<boolean> =>
  (await documents.remove('keys', id, id)) === 'removed';

/** Revokes another key than `own`. Throws a TerminalError for the key itself, and for one that is none. */
export async function revokeOtherKey(ports: Pick<Ports, 'documents'>, own: KeyDocument, id: string): Promise<void> {
  if (id === own.id) {
    const detail =
      'A key does not revoke itself, so that nobody locks themselves out. Rotate it, or use another operator key.';
    throw new TerminalError('own-key', detail, 'key');
  }
  if (!(await revokeKey(ports, id))) throw unknownKey(id);
}
