/** From samples to the three files of the job contract. No clock and no network: the same job gives the same bytes. */
import { validateModel } from '../../shared/onnx/validate.ts';
import { classifierEnds, type ClassifierShape } from '../../shared/task/classification/ends.ts';
import type { JobDocument, OutputName } from '../../shared/training/job-contract.ts';
import type { Dataset } from './dataset.ts';
import { scoreModel } from './evaluate.ts';
import type { Fitted } from './fit.ts';
import { servingGraph } from './graphs.ts';
import { modelMetadata } from './metadata.ts';
import type { MethodOptions, Trained } from './method.ts';
import { methodOf } from './recipes.ts';

const smokeSamples = 16;
/**
 * The file must score as the weights did in training, apart from rounding, which is relative for scores above 1. Folding
 * and float32 leave about 1e-6 of it, and 1.1e-5 was seen after a training whose loss had grown.
 */
const tolerance = 1e-4;

type Job = Pick<JobDocument, 'classes' | 'image' | 'trainer' | 'datasetVersion' | 'seed'>;

function checkModel(bytes: Uint8Array, spec: ClassifierShape, scored: Float32Array, expected: Float32Array): void {
  const valid = validateModel(bytes, classifierEnds(spec));
  if (!valid.ok) throw new Error(`the exported model is not acceptable: ${valid.reason}, ${valid.detail}`);
  const worst = scored.reduce((most, value, i) => {
    const wanted = expected[i] ?? 0;
    return Math.max(most, Math.abs(value - wanted) / Math.max(1, Math.abs(wanted)));
  }, 0);
  if (!(worst <= tolerance)) throw new Error(`the exported model differs by ${worst} from the trained one`);
}

function metricsFile(job: Job, data: Dataset, { fitted, choice }: Trained): unknown {
  return {
    trainer: job.trainer,
    seed: job.seed,
    datasetVersion: job.datasetVersion,
    samples: { train: data.train.length, validation: data.validation.length },
    final: fitted.chosen,
    history: fitted.history,
    ...(choice === undefined ? {} : { choice }),
  };
}

/** Trains and checks the exported model against the trained one. Throws where parameters do not fit or training fails. */
export async function train(
  job: Job,
  data: Dataset,
  options: Omit<MethodOptions, 'seed'>,
): Promise<{ files: Record<OutputName, Buffer>; fitted: Fitted }> {
  const spec = { ...job.image, classes: job.classes.length };
  const method = methodOf(job.trainer.name, job.trainer.parameters);
  if (data.train.length === 0) throw new Error('there are no training samples');
  const trained = await method(data, spec, { ...options, seed: job.seed });
  const { architecture, fitted, outputs, choice } = trained;
  const chosen = choice === undefined ? {} : { 'darkroom.chosen': choice.chosen };
  const metadata = { ...modelMetadata(job), ...chosen, ...trained.metadata };
  const model = servingGraph(architecture, spec, fitted.weights, metadata, outputs).bytes;
  const scored = await scoreModel(model, data.validation, spec, options.threads);
  checkModel(model, spec, scored, fitted.probabilities);
  const smoke = data.validationMd5.slice(0, smokeSamples).map((md5, i) => ({
    md5,
    probabilities: Array.from(scored.subarray(i * spec.classes, (i + 1) * spec.classes)),
  }));
  const files = {
    'model.onnx': Buffer.from(model),
    'metrics.json': Buffer.from(JSON.stringify(metricsFile(job, data, trained))),
    'smoke.json': Buffer.from(JSON.stringify(smoke)),
  };
  return { files, fitted };
}
