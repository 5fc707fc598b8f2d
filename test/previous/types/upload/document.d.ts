/** The document of an upload. */
import type { DocumentBase, Waits } from '../delivery/document.ts';
import type { Annotation } from '../task/task.ts';
/** What is worth knowing about a file that was accepted; missing: nothing is */
export interface FileFindings {
  /** bytes behind the picture's end, which were cut off */
  trailingBytes?: number;
  /** the declared content type, where it contradicts the bytes */
  declaredType?: string;
  warnings?: {
    code: string;
    detail: string;
  }[];
}
/** What may have become of an upload; `received`: nothing yet. */
export declare const uploadStates: (
  | 'accepted'
  | 'conflict'
  | 'duplicate'
  | 'quarantined'
  | 'received'
  | 'superseded'
  | 'unlabelled'
)[];
export type UploadOutcome = 'accepted' | 'duplicate' | 'conflict' | 'unlabelled' | 'quarantined' | 'superseded';
/** pk: `{project that the name gives}:{first digit of id}`, also where there is no such project */
export interface UploadDocument extends DocumentBase, FileFindings {
  project: string;
  /** the blob's real name */
  blob: string;
  etag: string;
  status: 'received' | UploadOutcome;
  /** closed list for machines (`trailing-data`, `unknown-project`, ...), and a sentence for people */
  reason: {
    code: string;
    detail: string;
  } | null;
  /** md5 of the stored bytes: the sample's id */
  sample: string | null;
  annotation: Annotation | null;
  receivedAt: string;
  finishedAt: string | null;
  traceparent: string | null;
  /** while it is received: why its message waits; kept afterwards, and then of no meaning */
  waits?: Waits;
}
