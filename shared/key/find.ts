/** Finding an API key by its id. */
import { TerminalError } from '../errors.ts';
import type { Ports, Stored } from '../ports.ts';
import type { KeyDocument } from './document.ts';
import { reaches } from './reach.ts';

/** The error for a key that is none, to whoever asks. */
export const unknownKey = (id: string): TerminalError => {
  const detail = `There is no key ${id} that this key may see: it was revoked, or never was. GET /api/v1/keys lists those there are.`;
  return new TerminalError('unknown-key', detail, 'key');
};

/** Reads a key that the key `own` may see; throws a TerminalError where there is none. */
export async function findKey(
  { documents }: Pick<Ports, 'documents'>,
  own: KeyDocument,
  id: string,
): Promise<Stored<KeyDocument>> {
  const found = await documents.read('keys', id, id);
  if (found === undefined || !reaches(own, found.document.project)) throw unknownKey(id);
  return found;
}
