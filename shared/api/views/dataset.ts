/** Versions, uploads and samples as the API shows them. */
import * as z from 'zod';
import type { NearDuplicate } from '../../sample/near-duplicates.ts';
import { annotationSources, type SampleRecord } from '../../dataset/record.ts';
import { annotationFields, annotationFieldsOrNull, fieldsOf, fieldsOrNull } from '../../task/fields.ts';
import type { TaskKind } from '../../task/task.ts';
import type { FileFindings, UploadDocument } from '../../upload/document.ts';
import type { SampleDocument } from '../../sample/document.ts';
import type { VersionSummary } from '../../dataset/document.ts';
import { counts, split, time } from './page.ts';

/** What a picture shows, as its project's task kind has it. */
const annotation = z.record(z.string(), z.unknown());

export const versionView = z.object({
  id: z.string(),
  number: z.number(),
  root: z.string(),
  parent: z.string().nullable(),
  samples: z.number(),
  byClass: counts,
  bySplit: counts,
  changes: z.object({ added: z.number(), removed: z.number(), relabelled: z.number() }),
  bytesWritten: z.number(),
  nodesWritten: z.number(),
  createdAt: time,
});

/** A version as the API shows it. */
export const toVersionView = ({
  version,
  number,
  root,
  parent,
  samples,
  byClass,
  bySplit,
  changes,
  bytesWritten,
  nodesWritten,
  createdAt,
}: VersionSummary): z.infer<typeof versionView> => ({
  ...{ id: version, number, root, parent, samples, byClass, bySplit, changes, bytesWritten, nodesWritten, createdAt },
});

/** A version in a list: without what grows with its classes. */
export const versionSummaryView = versionView.omit({ byClass: true }).extend({ classCount: z.number() });

/** A version as lists show it. */
export const toVersionSummary = (version: VersionSummary): z.infer<typeof versionSummaryView> => {
  const { byClass, ...small } = toVersionView(version);
  return { ...small, classCount: Object.keys(byClass).length };
};

/** What is worth knowing about a file that was accepted. */
const findings = {
  /** bytes behind the picture's end, which were cut off */
  trailingBytes: z.number(),
  /** the declared content type, where it contradicts the bytes, which are believed */
  declaredType: z.string().nullable(),
  warnings: z.array(z.object({ code: z.string(), detail: z.string() })),
};

const toFindings = ({ trailingBytes = 0, declaredType, warnings = [] }: FileFindings) => ({
  ...{ trailingBytes, declaredType: declaredType ?? null, warnings },
});

export const uploadView = z.object({
  id: z.string(),
  blob: z.string(),
  etag: z.string(),
  outcome: z.enum(['received', 'accepted', 'duplicate', 'conflict', 'unlabelled', 'quarantined', 'superseded']),
  reason: z.object({ code: z.string(), detail: z.string() }).nullable(),
  sample: z.string().nullable(),
  annotation: annotation.nullable(),
  ...annotationFieldsOrNull,
  ...findings,
  receivedAt: time,
  finishedAt: time.nullable(),
  /** why it has no outcome yet, where a service is known to be away; in the past, `nextAt` is being tried now */
  waiting: z.object({ detail: z.string(), nextAt: time }).nullable(),
  /** first version that holds the sample; only when one upload is asked for */
  firstVersion: z.number().nullable().optional(),
});

/** An upload as the API shows it. */
export const toUploadView = (
  { id, blob, etag, status, reason, sample, annotation: told, receivedAt, finishedAt, waits, ...found }: UploadDocument,
  kind: TaskKind,
): z.infer<typeof uploadView> => ({
  ...{ id, blob, etag, outcome: status, reason, sample, annotation: told, ...fieldsOrNull(kind, told) },
  ...{ receivedAt, finishedAt },
  waiting: status === 'received' ? (waits ?? null) : null,
  ...toFindings(found),
});

export const sampleView = z.object({
  id: z.string(),
  sha256: z.string(),
  /** sha-256 of the decoded pixels, the same in every file of the picture; null in samples of older releases */
  pixelDigest: z.string().nullable(),
  /** 64 bits of what the picture looks like, in hex */
  perceptualHash: z.string().nullable(),
  sizeBytes: z.number(),
  mediaType: z.string(),
  width: z.number(),
  height: z.number(),
  channels: z.number(),
  annotation: annotation.nullable(),
  ...annotationFieldsOrNull,
  source: z.enum(annotationSources).nullable(),
  /** the same as `source` */
  labelSource: z.enum(annotationSources).nullable(),
  split,
  origin: z.string(),
  conflicts: z.array(z.object({ upload: z.string(), annotation, ...annotationFields })),
  ...findings,
  firstVersion: z.number().nullable(),
  /** why it lost its annotation: nobody could read it; null for all others. One given by review brings it back */
  setAside: z
    .object({
      code: z.literal('unreadable'),
      detail: z.string(),
      annotation: annotation.nullable(),
      ...annotationFieldsOrNull,
      training: z.string(),
      at: time,
    })
    .nullable(),
  createdAt: time,
});

/** A sample as the API shows it. */
export const toSampleView = (s: SampleDocument, kind: TaskKind): z.infer<typeof sampleView> => {
  const { id, sha256, sizeBytes, mediaType, width, height, channels, annotation: shown, source } = s;
  const { origin, firstVersion, createdAt } = s;
  const conflicts = s.conflicts.map((one) => ({ ...one, ...fieldsOf(kind, one.annotation) }));
  return {
    id,
    sha256,
    pixelDigest: s.pixelDigest ?? null,
    perceptualHash: s.perceptualHash ?? null,
    sizeBytes,
    mediaType,
    width,
    height,
    channels,
    annotation: shown,
    ...fieldsOrNull(kind, shown),
    source,
    labelSource: source,
    split: s.split,
    origin,
    conflicts,
    ...toFindings(s),
    firstVersion,
    setAside: s.setAside === undefined ? null : { ...s.setAside, ...fieldsOrNull(kind, s.setAside.annotation) },
    createdAt,
  };
};

const looks = z.object({ id: z.string(), annotation: annotation.nullable(), ...annotationFieldsOrNull, split });

export const nearDuplicatesView = z.object({
  value: z.array(
    z.object({
      /** bits of 64 in which the hashes of their looks differ, 3 at most */
      distance: z.number(),
      samples: z.array(looks).length(2),
    }),
  ),
  /** pairs found, of which `value` has the first */
  found: z.number(),
  /** samples that were compared; those of older releases have no hash */
  compared: z.number(),
  /** false: the project has more samples, or more pairs, than one call goes through */
  complete: z.boolean(),
});

/** A pair of samples that look the same. */
export const toNearDuplicateView = (
  { distance, samples }: NearDuplicate,
  kind: TaskKind,
): z.infer<typeof nearDuplicatesView>['value'][number] => ({
  distance,
  samples: samples.map(({ id, annotation: shown, split: side }) => ({
    ...{ id, annotation: shown, ...fieldsOrNull(kind, shown), split: side },
  })),
});

export const entryView = z.object({
  key: z.string(),
  md5: z.string(),
  annotation,
  ...annotationFields,
  source: z.enum(annotationSources),
  /** the same as `source` */
  labelSource: z.enum(annotationSources),
  split,
  mediaType: z.string(),
  sizeBytes: z.number(),
});

/** A sample as an entry of a version. */
export const toEntryView = (
  key: string,
  { md5, annotation: shown, source, split: side, mediaType, sizeBytes }: SampleRecord,
  kind: TaskKind,
): z.infer<typeof entryView> => ({
  ...{ key, md5, annotation: shown, ...fieldsOf(kind, shown), source, labelSource: source },
  ...{ split: side, mediaType, sizeBytes },
});
