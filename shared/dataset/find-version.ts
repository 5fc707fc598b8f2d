/** Finding a dataset version by what somebody calls it. */
import { TerminalError } from '../errors.ts';
import type { Ports } from '../ports.ts';
import type { VersionSummary } from './document.ts';

/** Finds a version by id, number or `head`; throws a TerminalError where there is none. */
export async function findVersion(
  ports: Pick<Ports, 'documents'>,
  project: string,
  wanted: string | undefined,
): Promise<VersionSummary> {
  if (wanted === undefined || wanted === 'head') {
    const head = (await ports.documents.read('heads', project, 'head'))?.document.head;
    if (head) return head;
    throw new TerminalError(
      'no-version',
      `Project ${project} has no dataset version yet. Upload labelled images first.`,
    );
  }
  const number = /^\d{1,9}$/.test(wanted) ? Number(wanted) : undefined;
  const lookUp = async (): Promise<VersionSummary | undefined> =>
    number === undefined
      ? (await ports.documents.read('versions', project, wanted))?.document
      : (await ports.documents.query('versions', { pk: project, equals: { number }, limit: 1 })).items[0]?.document;
  const found = await lookUp();
  if (found !== undefined) return found;
  // a version is the head before it has a document of its own, and keeps being looked for while that is written
  const head = (await ports.documents.read('heads', project, 'head'))?.document.head;
  if (head && (head.version === wanted || head.number === number)) return head;
  const since = await lookUp();
  if (since !== undefined) return since;
  throw new TerminalError(
    'unknown-version',
    `Project ${project} has no version ${wanted}. GET /api/v1/projects/${project}/versions lists them.`,
  );
}
