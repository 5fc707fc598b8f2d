/**
 * Group commit, first half: a sample is staged, then the commit generation is read from the head and the window document of
 * that generation created (409: somebody has), unless the head says that its window is open. The committer advances the
 * generation before it lists what is staged, so no sample can fall between two windows, and there is one message per window
 * without duplicate detection.
 */
import type { Cause } from '../delivery/message.ts';
import type { Ports } from '../ports.ts';
import type { ProjectSettings } from '../project/settings.ts';
import type { SampleDocument, StagedDocument } from '../sample/document.ts';
import { update } from '../update.ts';
import { openWindow } from './open-window.ts';
import { readHead } from './read-head.ts';

/** Stages a labelled sample for the next version and makes sure that a commit will come. Safe to repeat. */
export async function stageSample(
  ports: Pick<Ports, 'clock' | 'documents' | 'messages'>,
  sample: SampleDocument,
  settings: ProjectSettings,
  cause: Cause,
): Promise<void> {
  const { documents, clock } = ports;
  const staged = {
    id: sample.id,
    pk: sample.project,
    revision: sample.revision,
    stagedAt: clock.now().toISOString(),
  };
  // again and again until it is there: a committer may take an older revision out at the same moment
  const newer = (current: StagedDocument | undefined) =>
    current === undefined || current.revision < staged.revision ? staged : 'keep';
  await update(documents, 'staged', staged.pk, staged.id, newer, 'none');
  const head = await readHead(documents, sample.project);
  const { generation, windowOf } = head.document;
  if (windowOf === generation) return;
  await openWindow(ports, sample.project, generation, settings, cause);
  await update(
    documents,
    'heads',
    sample.project,
    'head',
    (current) =>
      current === undefined || (current.windowOf ?? -1) >= generation ? 'keep' : { ...current, windowOf: generation },
    head,
  );
}
