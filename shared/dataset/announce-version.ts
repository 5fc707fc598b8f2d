/** What a new version tells: training, and the feed. */
import type * as z from 'zod';
import { compose } from '../delivery/compose.ts';
import type { Outgoing } from '../delivery/document.ts';
import type { Cause, versionCommitted } from '../delivery/message.ts';
import { digestOf } from '../digest.ts';
import type { EventDocument } from '../event/document.ts';
import { describeLookAlikes, lookAlikes } from '../sample/look-alikes.ts';
import type { VersionSummary } from './document.ts';

type VersionCommitted = z.infer<typeof versionCommitted>;

/** The messages of a version that follows `before`. */
export function announceVersion(
  project: string,
  before: VersionSummary | null,
  summary: VersionSummary,
  cause: Cause,
): Outgoing[] {
  const { version, number } = summary;
  const message = compose<VersionCommitted>(
    'darkroom.version.committed',
    `${project}/${version}`,
    { project, version, number },
    cause,
  );
  const event: EventDocument = {
    id: `e${digestOf(31, project, 'version', version)}`,
    pk: project,
    type: 'version.committed',
    subject: `versions/${number}`,
    text: `Version ${number}: ${summary.samples} samples (${summary.changes.added} added, ${summary.changes.relabelled} relabelled, ${summary.changes.removed} removed).${warningOf(before, summary)}`,
    at: summary.createdAt,
    cause: cause.id,
    by: null,
  };
  return [
    { to: 'queue', queue: 'trainings', message },
    { to: 'feed', event },
  ];
}

/** A warning of classes that came with this version and look like others. */
function warningOf(before: VersionSummary | null, { byClass }: VersionSummary): string {
  const known = new Set(Object.keys(before?.byClass ?? {}));
  const group = lookAlikes(Object.keys(byClass)).find((names) => names.some((name) => !known.has(name)));
  return group === undefined ? '' : ` ${describeLookAlikes(group)}`;
}
