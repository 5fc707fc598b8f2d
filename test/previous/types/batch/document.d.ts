/** The document of a batch: many pictures that one model is asked about. */
import type { DocumentBase } from '../delivery/document.ts';
import type { Split } from '../sample/document.ts';
/** What is scored: files in the uploads container whose names begin so, or the samples of a dataset version. */
export type BatchOf =
  | {
      kind: 'uploads';
      prefix: string;
    }
  | {
      kind: 'version';
      version: {
        id: string;
        number: number;
      };
      root: string | null;
      split: Split | null;
    };
/** id: derives from who asked; pk: project */
export interface BatchDocument extends DocumentBase {
  state: 'scoring' | 'succeeded' | 'failed' | 'cancelled';
  of: BatchOf;
  /** chosen when the batch began */
  model: {
    number: number;
    digest: string;
  };
  /** the model's kind */
  task: string;
  /** pictures that there are; null: nobody has counted the uploads */
  total: number | null;
  scored: number;
  /** pictures that could not be read, or that the model had no answer for */
  failed: number;
  /** parts that are kept; the next one has this number */
  parts: number;
  /** where the next part begins; null: at the beginning */
  cursor: string | null;
  failure: {
    code: string;
    detail: string;
  } | null;
  requestedBy: string;
  createdAt: string;
  /** when a part was kept last, or the batch was handed on */
  movedAt: string;
  endedAt: string | null;
  correlation: string;
}
