/** Every document Darkroom keeps. Times are RFC 3339 in UTC. `pk` is the partition key. */
import type { Endpoint } from './deployment/endpoint.ts';
import type { Verdict } from './evaluation/gate.ts';
import type { Measured } from './evaluation/measure.ts';
import type { ImageSpec } from './image/size.ts';
import type { Message } from './message.ts';
import type { ProjectSettings } from './project.ts';
import type { DocumentContainer, QueueName } from './resources.ts';
import type { Run } from './training/run.ts';
import type { Scheduler } from './training/scheduler.ts';

/** What a saved state change still has to tell the world; cleared once it has been told. */
export type Outgoing =
  | { to: 'queue'; queue: QueueName; message: Message; notBefore?: string }
  | { to: 'feed'; event: EventDocument };

export interface DocumentBase {
  id: string;
  pk: string;
  outbox?: Outgoing[];
}

/** Why a message about a document waits. */
export interface Waits {
  /** what does not answer, in a sentence */
  detail: string;
  /** when it is tried again */
  nextAt: string;
}

/** pk: `projects` */
export interface ProjectDocument extends DocumentBase {
  settings: ProjectSettings;
  createdAt: string;
  updatedAt: string;
}

export type Role = 'viewer' | 'labeler' | 'operator';
/** id and pk: sha-256 of the key, in hex; the key itself is shown once and kept nowhere */
export interface KeyDocument extends DocumentBase {
  name: string;
  role: Role;
  /** a project's name, or `*` for all */
  project: string;
  createdAt: string;
  /** who made it: the name of another key, or a command */
  createdBy?: string;
  /** it works until then; missing: until it is revoked */
  expiresAt?: string;
  /** id of the first key of those that replaced one another: what is the same person or program. Missing: this one */
  holder?: string;
  /** the key that it was rotated to */
  replacedBy?: string;
  /** UTC day of its last use */
  lastUsedOn?: string;
}

/** What is worth knowing about a file that was accepted; missing: nothing is */
export interface FileFindings {
  /** bytes behind the picture's end, which were cut off */
  trailingBytes?: number;
  /** the declared content type, where it contradicts the bytes */
  declaredType?: string;
  warnings?: { code: string; detail: string }[];
}

export type UploadOutcome = 'accepted' | 'duplicate' | 'conflict' | 'unlabelled' | 'quarantined' | 'superseded';
/** pk: `{project that the name gives}:{first digit of id}`, also where there is no such project */
export interface UploadDocument extends DocumentBase, FileFindings {
  project: string;
  /** the blob's real name */
  blob: string;
  etag: string;
  status: 'received' | UploadOutcome;
  /** closed list for machines (`trailing-data`, `unknown-project`, ...), and a sentence for people */
  reason: { code: string; detail: string } | null;
  /** md5 of the stored bytes: the sample's id */
  sample: string | null;
  label: string | null;
  receivedAt: string;
  finishedAt: string | null;
  traceparent: string | null;
  /** while it is received: why its message waits; kept afterwards, and then of no meaning */
  waits?: Waits;
}

export type LabelSource = 'path' | 'metadata' | 'fuzzy' | 'review';
export type Split = 'train' | 'validation' | 'test';
/** id: md5 of the bytes; pk: `{project}:{first two digits of id}` */
export interface SampleDocument extends DocumentBase, FileFindings {
  project: string;
  sha256: string;
  /** sha-256 of the decoded pixels, and a hash of what they look like (16 hex digits); missing in samples of older releases */
  pixelDigest?: string;
  perceptualHash?: string;
  sizeBytes: number;
  mediaType: string;
  width: number;
  height: number;
  channels: number;
  label: string | null;
  labelSource: LabelSource | null;
  /** grows with every change of the label */
  labelRevision: number;
  split: Split;
  /** upload that created it */
  origin: string;
  /** uploads of the same bytes under other labels, waiting for review; at most 20 kept */
  conflicts: { upload: string; label: string }[];
  /**
   * Why a sample that was accepted has no label any more: nobody could read it. A person who labels it brings it back.
   * Missing: that has not happened
   */
  setAside?: { code: 'unreadable'; detail: string; label: string | null; training: string; at: string };
  /** key in the version tree and first version that holds it; null until a commit has taken it */
  key: string | null;
  firstVersion: number | null;
  createdAt: string;
}

/** id: digest of the pixels; pk: `{project}:{first two digits of id}`. Of files that show the same pixels one is a sample */
export interface PixelsDocument extends DocumentBase {
  /** as it was made, or has still to be made by whoever finds that it is missing */
  sample: SampleDocument;
}

/** id: `{md5}`; pk: project. A sample whose label is in no version yet. */
export interface StagedDocument extends DocumentBase {
  labelRevision: number;
  stagedAt: string;
}

/** id: generation, zero-padded; pk: project. One chain of looks per commit window. */
export interface WindowDocument extends DocumentBase {
  openedAt: string;
  /** id of the message whose turn it is to look; any other is a duplicate */
  nextLook: string;
  /** what was staged in it is committed: looks that are still under way end */
  closed: boolean;
}

export interface VersionSummary {
  /** hash(content id, parent, number) */
  version: string;
  number: number;
  /** content id: digest of the tree's root node */
  root: string;
  parent: string | null;
  samples: number;
  byClass: Record<string, number>;
  bySplit: Record<Split, number>;
  changes: { added: number; removed: number; relabelled: number };
  bytesWritten: number;
  nodesWritten: number;
  createdAt: string;
}

/** id: `head`; pk: project */
export interface HeadDocument extends DocumentBase {
  /** what is staged from now on belongs to this window; those before are being committed, or are */
  generation: number;
  head: VersionSummary | null;
  /** the head's samples still have to be marked and its version document written */
  unfinished: boolean;
  /**
   * Grows when samples are taken out of the staged ones without a new version: a commit that has read them before must
   * not become the head. Missing: that has never happened
   */
  fence?: number;
}

/** id: version id; pk: project */
export interface VersionDocument extends DocumentBase, VersionSummary {}

/** id: `scheduler`; pk: project */
export interface SchedulerDocument extends DocumentBase, Scheduler {}

/** id: run id; pk: project */
export interface RunDocument extends DocumentBase, Run {
  /** why its message waits, or did */
  waits?: Waits;
}

/** id: number, zero-padded to 8; pk: project. Shape of MLflow's model versions */
export interface ModelDocument extends DocumentBase {
  number: number;
  state: 'candidate' | 'approved' | 'rejected';
  /** sha-256 of the ONNX bytes; blob `models/{project}/{digest}.onnx` */
  digest: string;
  sizeBytes: number;
  classes: string[];
  image: ImageSpec;
  run: string;
  version: { id: string; number: number };
  metrics: Measured;
  verdict: Verdict;
  lineage: {
    trainer: string;
    parameters: Record<string, number | string | boolean>;
    seed: number;
    /** digest of the trainer's code, as the job reported it */
    code: string | null;
  };
  /** outputs kept from training for the smoke test of a deployment */
  smoke: { md5: string; probabilities: number[] }[];
  createdAt: string;
  decidedBy: string | null;
}

/** id: `endpoint`; pk: project */
export interface EndpointDocument extends DocumentBase, Endpoint {}

/** pk: `{project}:{first digit after 'p'}`; expires */
export interface PredictionDocument extends DocumentBase, Pick<FileFindings, 'trailingBytes' | 'declaredType'> {
  project: string;
  model: { number: number; digest: string };
  version: { id: string; number: number };
  deployment: string;
  role: 'production' | 'canary' | 'pinned';
  sha256: string;
  class: string | null;
  probabilities: Record<string, number>;
  error: string | null;
  durationMs: number;
  at: string;
}

/** pk: project; id derives from the cause. The audit trail and activity feed. */
export interface EventDocument {
  id: string;
  pk: string;
  type: string;
  subject: string;
  /** a sentence for people */
  text: string;
  at: string;
  cause: string | null;
  by: string | null;
}

/** id: derives from queue and message; pk: queue */
export interface DeadLetterDocument extends DocumentBase {
  queue: QueueName;
  messageId: string;
  /** text of the body, at most 64 KB of it */
  body: string;
  truncated: boolean;
  reason: string;
  detail: string;
  project: string | null;
  status: 'waiting' | 'replayed' | 'dismissed';
  /** who gave it up last, and why */
  dismissed?: { at: string; by: string; reason: string };
  count: number;
  firstAt: string;
  lastAt: string;
  replayedAt: string | null;
}

/** What is done once however often it is asked for; id and pk: digest of what names it; expires after a day */
export interface RequestDocument extends DocumentBase {
  /** sha-256 of the body of an HTTP request; empty for a message */
  body: string;
  at: string;
}

export interface DocumentTypes extends Record<DocumentContainer, { id: string; pk: string }> {
  projects: ProjectDocument;
  keys: KeyDocument;
  uploads: UploadDocument;
  samples: SampleDocument;
  pixels: PixelsDocument;
  staged: StagedDocument;
  windows: WindowDocument;
  heads: HeadDocument;
  versions: VersionDocument;
  schedulers: SchedulerDocument;
  runs: RunDocument;
  models: ModelDocument;
  endpoints: EndpointDocument;
  predictions: PredictionDocument;
  events: EventDocument;
  'dead-letters': DeadLetterDocument;
  requests: RequestDocument;
}
