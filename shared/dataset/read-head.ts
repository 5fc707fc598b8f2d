/** The head of a project's version history. */
import type { Ports, Stored } from '../ports.ts';
import type { HeadDocument } from './document.ts';

/** The dataset head of a project that has none yet. */
const newHead = (project: string): HeadDocument => ({
  id: 'head',
  pk: project,
  generation: 0,
  head: null,
  unfinished: false,
});

/** Reads the head, creating it for a project without one. */
export async function readHead(documents: Ports['documents'], project: string): Promise<Stored<HeadDocument>> {
  const found = await documents.read('heads', project, 'head');
  if (found !== undefined) return found;
  const created = await documents.create('heads', newHead(project));
  if (created !== 'exists') return created;
  const existing = await documents.read('heads', project, 'head');
  if (existing === undefined) throw new Error(`the dataset head of ${project} is neither there nor can it be made`);
  return existing;
}
