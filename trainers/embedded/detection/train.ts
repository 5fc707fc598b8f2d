/** From maps and boxes to the three files of the job contract. No clock and no network: the same job gives the same bytes. */
import type { NamedTensors } from '../../../shared/onnx/ends.ts';
import { floatTensor, openGraph } from '../../../shared/onnx/engine.ts';
import type { GraphParts } from '../../../shared/onnx/parts.ts';
import { validateModel } from '../../../shared/onnx/validate.ts';
import { detectorEnds } from '../../../shared/task/detection/ends.ts';
import { decode } from '../../../shared/task/detection/prediction.ts';
import type { JobDocument, OutputName } from '../../../shared/training/job-contract.ts';
import { backboneMetadata, modelMetadata } from '../metadata.ts';
import type { DetectorRecipe } from '../recipes.ts';
import type { Dataset, Tried } from './dataset.ts';
import { nmsIou, operatingThreshold } from './evaluate.ts';
import type { FitOptions } from '../fit.ts';
import { byPicture, type Epoch, fit, type Fitted } from './fit.ts';
import { type DetectorShape, servingGraph } from './graphs.ts';
import { measureStandards } from './maps.ts';

/** Where validation cannot say where to operate. */
const usualThreshold = 0.3;
/**
 * How far a score of the served model may be from that of training, which kept what the backbone sees in float16: that
 * rounds to a part in 2,048.
 */
const tolerance = 0.02;

type Job = Pick<JobDocument, 'classes' | 'image' | 'trainer' | 'datasetVersion' | 'seed'>;

/** What the finished file answers for the pictures that were kept for that. */
async function answersOf(
  model: Uint8Array,
  tried: readonly Tried[],
  { input: { channels, height, width } }: DetectorShape,
  threads: number,
): Promise<NamedTensors[]> {
  const session = await openGraph(model, threads);
  try {
    const answers: NamedTensors[] = [];
    for (const { pixels } of tried) {
      const outputs = await session.run({ input: floatTensor(pixels, [1, channels, height, width]) });
      answers.push(...byPicture(outputs, 1));
    }
    return answers;
  } finally {
    await session.release();
  }
}

/**
 * Throws where the surest score of a class in a picture is another than it was in training. Of a class that is less sure
 * than all places that are answered no more is known than that: in a crowded picture the last place goes to one or another.
 */
export function checkAnswers(served: readonly NamedTensors[], trained: readonly NamedTensors[], classes: number): void {
  const surest = (answer: NamedTensors | undefined, label: number): number => {
    const scores = answer?.['scores']?.data ?? new Float32Array();
    let [most, least] = [0, scores.length === 0 ? 0 : 1];
    for (let at = 0; at < scores.length; at += classes) {
      const place = scores.subarray(at, at + classes);
      most = Math.max(most, place[label] ?? 0);
      least = Math.min(least, Math.max(...place));
    }
    return Math.max(most, least);
  };
  for (const [i, answer] of served.entries()) {
    for (let label = 0; label < classes; label++) {
      const difference = Math.abs(surest(answer, label) - surest(trained[i], label));
      if (!(difference <= tolerance))
        throw new Error(`the exported model differs by ${difference} from the trained one`);
    }
  }
}

function metricsFile(
  job: Job,
  data: Dataset,
  fitted: Fitted,
  operating: ReturnType<typeof operatingThreshold>,
): unknown {
  return {
    trainer: job.trainer,
    seed: job.seed,
    datasetVersion: job.datasetVersion,
    samples: { train: data.pictures, validation: data.validation.length },
    /** of each training picture: fewer than were asked for where there was no room for more */
    copies: data.copies,
    final: fitted.chosen,
    operating: operating ?? null,
    history: fitted.history,
  };
}

/** Trains and checks the exported model against the trained one. Throws where training fails. */
export async function trainDetector(
  job: Job,
  data: Dataset,
  parts: GraphParts,
  recipe: DetectorRecipe,
  options: Omit<FitOptions<Epoch>, 'seed'>,
): Promise<{ files: Record<OutputName, Buffer>; fitted: Fitted }> {
  const { classes, image: input } = job;
  if (data.taught.length === 0) throw new Error('there are no training samples');
  const standards = measureStandards(data.taught.filter((_, i) => i % (data.copies + 1) === 0).map(({ maps }) => maps));
  const shape: DetectorShape = { input, classes, width: recipe.width, standards };
  const fitted = await fit(data.taught, data.validation, shape, recipe, { ...options, seed: job.seed });
  const shown = data.validation.map((one) => one.shown);
  const operating = operatingThreshold(fitted.answers, shown, classes);
  const scoreThreshold = Number((operating?.threshold ?? usualThreshold).toFixed(4));
  const model = servingGraph(parts, shape, fitted.weights, {
    ...modelMetadata(job),
    ...backboneMetadata,
    nms_iou: String(nmsIou),
    score_threshold: String(scoreThreshold),
  });
  const valid = validateModel(model, detectorEnds(classes.length, input));
  if (!valid.ok) throw new Error(`the exported model is not acceptable: ${valid.reason}, ${valid.detail}`);
  const served = await answersOf(model, data.tried, shape, options.threads);
  checkAnswers(served, fitted.answers, classes.length);
  const metadata = { nmsIou, scoreThreshold };
  const smoke = data.tried.map(({ md5, shown: { placement } }, i) => ({
    md5,
    ...decode({ outputs: served[i] ?? {}, classes, placement, metadata }),
  }));
  const files = {
    'model.onnx': Buffer.from(model),
    'metrics.json': Buffer.from(JSON.stringify(metricsFile(job, data, fitted, operating))),
    'smoke.json': Buffer.from(JSON.stringify(smoke)),
  };
  return { files, fitted };
}
