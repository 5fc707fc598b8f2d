/** The document of a model version. */
import type { DocumentBase } from '../delivery/document.ts';
import type { Verdict } from '../task/classification/gate.ts';
import type { Measured } from '../task/classification/metrics.ts';
import type { ImageSpec } from '../image/size.ts';

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
