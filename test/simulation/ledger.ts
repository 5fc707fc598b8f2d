/** What users were promised, to be held against what there is at the end. */
import type { Upload } from './plan.ts';

/** What was acknowledged: the backend must keep these promises. */
export interface Ledger {
  /** finished writes to the uploads container */
  uploads: { blob: string; etag: string; upload: Upload }[];
  trainings: { project: string; key: string; id: string; decision: string }[];
  /** runs whose cancellation was accepted */
  cancelled: { project: string; run: string }[];
  /** annotation of a sample as of its last acknowledged review, by etag order of arrival */
  reviews: { project: string; sample: string; annotation: object }[];
  rollbacks: { project: string; key: string }[];
  deployments: { project: string; deployment: string }[];
  predictions: { project: string; id: string }[];
  /** messages that no handler can understand */
  strays: number;
}

/** Nothing has been promised. */
export const emptyLedger = (): Ledger => ({
  uploads: [],
  trainings: [],
  cancelled: [],
  reviews: [],
  rollbacks: [],
  deployments: [],
  predictions: [],
  strays: 0,
});
