/** The document of a prediction. */
import type { DocumentBase } from '../delivery/document.ts';
import type { FileFindings } from '../upload/document.ts';

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
