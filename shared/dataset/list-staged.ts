/** What the next version takes: samples whose annotation is in none yet. */
import pMap from 'p-map';
import { listAll } from '../list-all.ts';
import type { Ports, Stored } from '../ports.ts';
import type { ProjectDocument } from '../project/document.ts';
import type { SampleDocument, StagedDocument } from '../sample/document.ts';
import { samplePartition } from '../sample/partition.ts';

/** samples that are read at once */
const parallel = 16;

export interface Staged {
  staged: Stored<StagedDocument>;
  /** as it was read afterwards; undefined: there is none */
  sample: Stored<SampleDocument> | undefined;
}

/** Lists staged samples, at most `maxItems` of the project's settings; `more`: there are others. */
export async function listStaged(
  { documents }: Pick<Ports, 'documents'>,
  project: ProjectDocument,
): Promise<{ all: Staged[]; more: boolean }> {
  const { maxItems } = project.settings.commit;
  const found: Stored<StagedDocument>[] = [];
  const query = { pk: project.id, limit: 1000 };
  for await (const one of listAll(documents, 'staged', query, maxItems + 1)) found.push(one);
  const read = async (staged: Stored<StagedDocument>): Promise<Staged> => {
    const { id } = staged.document;
    return { staged, sample: await documents.read('samples', samplePartition(project.id, id), id) };
  };
  return {
    all: await pMap(found.slice(0, maxItems), read, { concurrency: parallel }),
    more: found.length > maxItems,
  };
}
