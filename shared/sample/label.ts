/** Labelling a sample by review: the label becomes part of the next version. */
import { stageSample } from '../dataset/stage.ts';
import type { Cause } from '../delivery/message.ts';
import { TerminalError } from '../errors.ts';
import type { Ports, Stored } from '../ports.ts';
import { changed, type Seen } from '../precondition.ts';
import { findProject } from '../project/find.ts';
import type { SampleDocument } from './document.ts';
import { findSample } from './find.ts';

type LabelPorts = Pick<Ports, 'clock' | 'documents' | 'messages'>;

/** how many classes an error names */
const maxNamed = 20;

/** What a person says of a sample, and which state of it they had seen. */
export interface Labelling {
  project: string;
  sample: string;
  label: string;
  seen: Seen;
}

/**
 * Sets the label of a sample and stages it. Safe to repeat. Throws a TerminalError for a label that is no class of the
 * project, and where the sample changed since it was seen.
 */
export async function labelSample(
  ports: LabelPorts,
  { project: name, sample: id, label, seen }: Labelling,
  cause: Cause,
): Promise<Stored<SampleDocument>> {
  const { document: project } = await findProject(ports, name);
  const found = await findSample(ports, name, id);
  assertClass(label, project.settings.classes);
  // labelled so already, maybe by this very request when it could not stage: its etag is an older one
  const same = found.document.label === label && found.document.labelSource === 'review';
  if (!same && seen !== undefined && seen !== found.etag) throw changed();
  const saved = same ? found : await save(ports, labelled(found.document, label), found.etag);
  await stageSample(ports, saved.document, project.settings, cause);
  return saved;
}

function assertClass(label: string, classes: string[]): void {
  if (classes.length === 0 || classes.includes(label)) return;
  const named = classes.slice(0, maxNamed).join(', ') + (classes.length > maxNamed ? ', ...' : '');
  const detail = `"${label}" is not a class of this project; its classes are ${named}.`;
  throw new TerminalError('unknown-class', detail, 'label');
}

/** Whoever labels a sample that was set aside has looked at it: it is tried again. */
function labelled(document: SampleDocument, label: string): SampleDocument {
  const { setAside: _, ...sample } = document;
  const labelRevision = sample.labelRevision + 1;
  return { ...sample, label, labelSource: 'review', labelRevision, conflicts: [] };
}

async function save({ documents }: LabelPorts, next: SampleDocument, etag: string): Promise<Stored<SampleDocument>> {
  const saved = await documents.replace('samples', next, etag);
  if (saved !== 'changed') return saved;
  // the first answer may have been lost on the way, and what changed the sample is this very call: it has to be staged
  const now = await documents.read('samples', next.pk, next.id);
  const { label, labelSource, labelRevision } = next;
  const ours =
    now?.document.label === label &&
    now.document.labelSource === labelSource &&
    now.document.labelRevision === labelRevision;
  if (now === undefined || !ours) throw changed();
  return now;
}
