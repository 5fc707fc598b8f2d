/** The document of a model version. */
import type { DocumentBase } from '../delivery/document.ts';
import type { ImageSpec } from '../image/size.ts';
import type { KeptAnswer, Metrics } from '../task/models.ts';
import type { Verdict } from '../task/verdict.ts';
/** id: number, zero-padded to 8; pk: project. Shape of MLflow's model versions */
export interface ModelDocument extends DocumentBase {
  number: number;
  state: 'candidate' | 'approved' | 'rejected';
  /** sha-256 of the ONNX bytes; blob `models/{project}/{digest}.onnx` */
  digest: string;
  sizeBytes: number;
  /** its kind, in whose form are classes, metrics, verdict and smoke */
  task: string;
  classes: string[];
  image: ImageSpec;
  run: string;
  version: {
    id: string;
    number: number;
  };
  metrics: Metrics;
  verdict: Verdict;
  lineage: {
    trainer: string;
    parameters: Record<string, number | string | boolean>;
    seed: number;
    /** digest of the trainer's code, as the job reported it */
    code: string | null;
  };
  /** answers kept from training for the smoke test of a deployment */
  smoke: KeptAnswer[];
  createdAt: string;
  decidedBy: string | null;
}
