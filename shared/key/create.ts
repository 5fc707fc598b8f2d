/** Creating an API key. Nothing here keeps the key itself. */
import { type Grant, keyDocument, newKey } from './secret.ts';
import { RetryLater } from '../errors.ts';
import type { Ports, Stored } from '../ports.ts';
import type { KeyDocument } from './document.ts';

export type KeyPorts = Pick<Ports, 'clock' | 'documents'>;

/** A key that was created: `key` is shown once. */
export interface CreatedKey {
  key: string;
  stored: Stored<KeyDocument>;
}

/** Creates a key from 32 random bytes. `by`: who asks for it. */
export async function createKey(
  { clock, documents }: KeyPorts,
  bytes: Buffer,
  grant: Grant & Pick<KeyDocument, 'holder'>,
  by: string,
): Promise<CreatedKey> {
  const key = newKey(bytes);
  const document = { ...keyDocument(key, grant, clock.now().toISOString()), createdBy: by };
  const created = await documents.create('keys', document);
  // nobody else draws these bytes: it was made by a call whose answer was lost on the way, and that was repeated
  const stored = created === 'exists' ? await documents.read('keys', document.pk, document.id) : created;
  if (stored === undefined) throw new RetryLater('the key was revoked while it was made');
  return { key, stored };
}
