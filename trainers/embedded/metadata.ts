/** What an exported model says of itself. */
import { backbone } from '../../shared/onnx/backbone.ts';
import type { JobDocument } from '../../shared/training/job-contract.ts';

/** What a model that holds the weights of the backbone says of them: its licence asks for that. */
export const backboneMetadata = {
  'darkroom.backbone': `${backbone.name}, ${backbone.licence}: ${backbone.changes}`,
};

/** What a reader of the file alone needs to know. No time, no run: equal trainings give equal files. */
export function modelMetadata(
  job: Pick<JobDocument, 'classes' | 'image' | 'trainer' | 'datasetVersion'>,
): Record<string, string> {
  const { range: scaledFrom, ...shape } = job.image;
  return {
    'darkroom.classes': JSON.stringify(job.classes),
    'darkroom.datasetVersion': job.datasetVersion,
    'darkroom.input': JSON.stringify({ ...shape, layout: 'NCHW', range: [0, 255], scaledFrom }),
    'darkroom.trainer': job.trainer.name,
  };
}
