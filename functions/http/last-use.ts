/** On which day a key was used last. */
import type { KeyDocument } from '../../shared/key/document.ts';
import type { Ports, Stored } from '../../shared/ports.ts';

/**
 * Notes the day in the document of a key that was just read. Nobody waits for it, a process tries it once for each key
 * and day, and where it fails another read of the day by another process may do it: who asks wants to know about months.
 */
export function createLastUse(ports: Pick<Ports, 'clock' | 'documents'>): (key: Stored<KeyDocument>) => void {
  let today = '';
  const noted = new Set<string>();
  return ({ document, etag }) => {
    const day = ports.clock.now().toISOString().slice(0, 10);
    if (day !== today) noted.clear();
    today = day;
    if (document.lastUsedOn === day || noted.has(document.id)) return;
    noted.add(document.id);
    ports.documents.replace('keys', { ...document, lastUsedOn: day }, etag).catch(() => undefined);
  };
}
