/** The document of a prediction. */
import type { DocumentBase } from '../delivery/document.ts';
import type { FileFindings } from '../upload/document.ts';
/** pk: `{project}:{first digit after 'p'}`; expires */
export interface PredictionDocument extends DocumentBase, Pick<FileFindings, 'trailingBytes' | 'declaredType'> {
  project: string;
  model: {
    number: number;
    digest: string;
  };
  version: {
    id: string;
    number: number;
  };
  deployment: string;
  role: 'production' | 'canary' | 'pinned';
  sha256: string;
  /** task kind of the model */
  task: string;
  /** in the form of the kind; null: the model had no answer */
  prediction: object | null;
  error: string | null;
  durationMs: number;
  at: string;
}
