/** Annotating a sample by review: the annotation becomes part of the next version. */
import { stageSample } from '../dataset/stage-sample.ts';
import type { Cause } from '../delivery/message.ts';
import { TerminalError } from '../errors.ts';
import type { Ports, Stored } from '../ports.ts';
import { changed, type Seen } from '../precondition.ts';
import { findProject } from '../project/find.ts';
import { type Annotation, isSame, type TaskKind, taskOf } from '../task/task.ts';
import { parseAnnotation } from '../task/parse-annotation.ts';
import { unknownClass } from '../task/unknown-class.ts';
import type { SampleDocument } from './document.ts';
import { findSample } from './find.ts';

type AnnotatePorts = Pick<Ports, 'clock' | 'documents' | 'messages'>;

/** how many classes an error names */
const maxNamed = 20;

/** What a person says of a sample, and which state of it they had seen. */
export interface Review {
  project: string;
  sample: string;
  /** as it was sent */
  annotation: unknown;
  seen: Seen;
  /** where it was sent: what a refusal is about */
  target: string;
}

/**
 * Sets the annotation of a sample and stages it. Safe to repeat. Throws a TerminalError for one that is none of the
 * project's kind or names a class that the project does not have, and where the sample changed since it was seen.
 */
export async function annotateSample(
  ports: AnnotatePorts,
  { project: name, sample: id, annotation: given, seen, target }: Review,
  cause: Cause,
): Promise<{ sample: Stored<SampleDocument>; kind: TaskKind }> {
  const { document: project } = await findProject(ports, name);
  const kind = taskOf(project.settings);
  const parsed = parseAnnotation(kind, given, target);
  const found = await findSample(ports, name, id);
  const annotation = placed(kind, parsed, found.document, target);
  assertClasses(kind, annotation, project.settings.classes, target);
  // annotated so already, maybe by this very request when it could not stage: its etag is an older one
  const same = isSame(kind, found.document.annotation, annotation) && found.document.source === 'review';
  if (!same && seen !== undefined && seen !== found.etag) throw changed();
  const sample = same ? found : await save(ports, kind, annotated(found.document, annotation), found.etag);
  await stageSample(ports, sample.document, project.settings, cause);
  return { sample, kind };
}

function assertClasses(kind: TaskKind, annotation: Annotation, classes: string[], target: string): void {
  const unknown = unknownClass(kind, classes, annotation);
  if (unknown === undefined) return;
  const named = classes.slice(0, maxNamed).join(', ') + (classes.length > maxNamed ? ', ...' : '');
  const detail = `"${unknown}" is not a class of this project; its classes are ${named}.`;
  throw new TerminalError('unknown-class', detail, target);
}

function placed(kind: TaskKind, parsed: Annotation, sample: SampleDocument, target: string): Annotation {
  const on = kind.onPicture(parsed, sample);
  if ('annotation' in on) return on.annotation;
  throw new TerminalError('invalid-body', `"${target}" cannot be of this sample: ${on.why}.`, target);
}

/** Whoever annotates a sample that was set aside has looked at it: it is tried again. */
function annotated(document: SampleDocument, annotation: Annotation): SampleDocument {
  const { setAside: _, ...sample } = document;
  return { ...sample, annotation, source: 'review', revision: sample.revision + 1, conflicts: [] };
}

async function save(
  { documents }: AnnotatePorts,
  kind: TaskKind,
  next: SampleDocument,
  etag: string,
): Promise<Stored<SampleDocument>> {
  const saved = await documents.replace('samples', next, etag);
  if (saved !== 'changed') return saved;
  // the first answer may have been lost on the way, and what changed the sample is this very call: it has to be staged
  const now = await documents.read('samples', next.pk, next.id);
  const ours =
    now?.document.source === next.source &&
    now.document.revision === next.revision &&
    isSame(kind, now.document.annotation, next.annotation);
  if (now === undefined || !ours) throw changed();
  return now;
}
