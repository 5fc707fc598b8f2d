/**
 * The embedded trainer as a job (shared/training/job-contract.ts). Environment:
 *   DARKROOM_JOB_URL           read address of the job document
 *   DARKROOM_EXECUTION, else CONTAINER_APP_JOB_EXECUTION_NAME  names this execution as compute does: Azure Container Apps sets
 *                              its own, Azure Machine Learning has that of its start
 *   DARKROOM_TRAINER_THREADS   CPU threads; 2 at most by default
 *   DARKROOM_FEATURES          folder where features of pictures are kept for the next training on them; none: nothing is kept
 *   DARKROOM_EXECUTION_PROVIDER  auto (default), cpu or cuda: what computes the steps; told in the first report
 * `--describe` prints the trainers and the parameters that they take (shared/training/trainers.ts), and does nothing else.
 * Exit codes: 0 succeeded, cancelled or superseded (nothing to retry); 1 failed or terminated, and reported; 2 could not even report.
 */
import { createHash } from 'node:crypto';
import { availableParallelism, hostname } from 'node:os';
import {
  jobDocument,
  outputNames,
  terminated,
  type JobDocument,
  type JobReport,
  type OutputName,
} from '../../shared/training/job-contract.ts';
import { backboneParts } from '../../shared/onnx/backbone.ts';
import { classification } from '../../shared/task/classification/classification.ts';
import { detection } from '../../shared/task/detection/detection.ts';
import { builtInDescriptions } from '../../shared/training/trainers.ts';
import { codeDigest } from './code.ts';
import { readDataset } from './dataset.ts';
import { readDataset as readDetectorDataset } from './detection/dataset.ts';
import type { Epoch as DetectorEpoch } from './detection/fit.ts';
import { trainDetector } from './detection/train.ts';
import type { Epoch } from './fit.ts';
import { create, get } from './http.ts';
import { chooseMachine } from './machine.ts';
import { detectorRecipeOf } from './recipes.ts';
import { createReporter, maxDocumentBytes, refuse, Stopped, Superseded, type Reporter } from './reporter.ts';
import type { ReadingEvents } from './samples.ts';
import { train } from './train.ts';

type Machine = Awaited<ReturnType<typeof chooseMachine>>;
type Outputs = Extract<JobReport, { kind: 'succeeded' }>['outputs'];

async function writeOutputs(job: JobDocument, files: Record<OutputName, Buffer>): Promise<Outputs> {
  const written = {} as Outputs;
  for (const name of outputNames) {
    const body = files[name];
    const contentType = name.endsWith('.json') ? 'application/json' : 'application/octet-stream';
    // an output already there is an earlier execution's; the digest in the report tells which one is meant
    await create(job.outputs[name], body, contentType);
    written[name] = { sha256: createHash('sha256').update(body).digest('hex'), sizeBytes: body.length };
  }
  return written;
}

type Metrics = { key: string; value: number; step: number }[];

const metricsOf = (epoch: Epoch): Metrics =>
  [
    ['loss', epoch.loss] as const,
    ['train.accuracy', epoch.trainAccuracy] as const,
    ['validation.loss', epoch.validationLoss] as const,
    ['validation.accuracy', epoch.validationAccuracy] as const,
  ].map(([key, value]) => ({ key, value, step: epoch.epoch }));

const detectorMetricsOf = (epoch: DetectorEpoch): Metrics =>
  [
    ['loss', epoch.loss] as const,
    ['validation.ap50', epoch.validationAp50] as const,
    ['validation.ap', epoch.validationAp] as const,
  ].map(([key, value]) => ({ key, value, step: epoch.epoch }));

const readingEvents = (reporter: Reporter): ReadingEvents => ({
  afterImage: (done, total) => reporter.pulse({ phase: 'download', done, total }),
  unreadable: (sample) => reporter.leaveOut(sample),
});

/** Heartbeats while a network is fitted, and a milestone with metrics after each epoch. */
function fittingEvents<E>(reporter: Reporter, metrics: (epoch: E) => Metrics) {
  let steps = { done: 0, total: 0 };
  return {
    afterStep(done: number, total: number): Promise<void> {
      steps = { done, total };
      return reporter.pulse({ phase: 'train', done, total });
    },
    afterEpoch(epoch: E): Promise<void> {
      reporter.note(metrics(epoch));
      return reporter.milestone({ phase: 'train', ...steps });
    },
  };
}

type Files = Record<OutputName, Buffer>;

async function makeClassifier(job: JobDocument, reporter: Reporter, machine: Machine): Promise<Files> {
  if (job.classes.length < 2)
    throw new Error(`a classifier needs two classes, and the job names ${job.classes.length}`);
  const data = await readDataset(job, readingEvents(reporter));
  const folder = process.env['DARKROOM_FEATURES'] ?? '';
  const { files } = await train(job, data, {
    threads: machine.threads,
    provider: machine.executionProvider,
    kept: folder === '' ? undefined : { folder },
    ...fittingEvents(reporter, metricsOf),
    afterSample: (done, total) => reporter.pulse({ phase: 'features', done, total }),
    afterChoice: ({ compared }) => {
      reporter.note(compared.map(({ by, method, accuracy }) => ({ key: `${by}.${method}`, value: accuracy, step: 0 })));
      return Promise.resolve();
    },
  });
  return files;
}

async function makeDetector(job: JobDocument, reporter: Reporter, machine: Machine): Promise<Files> {
  if (job.classes.length === 0) throw new Error('a detector needs a class, and the job names none');
  const recipe = detectorRecipeOf(job.trainer.name, job.trainer.parameters);
  const parts = await backboneParts();
  const options = { ...recipe, threads: machine.threads };
  const data = await readDetectorDataset(job, parts, options, readingEvents(reporter));
  const { files } = await trainDetector(job, data, parts, recipe, {
    threads: machine.threads,
    provider: machine.executionProvider,
    ...fittingEvents(reporter, detectorMetricsOf),
  });
  return files;
}

/** What makes a model of each task kind. */
const makers = new Map([
  [classification.name, makeClassifier],
  [detection.name, makeDetector],
]);

async function work(job: JobDocument, reporter: Reporter, machine: Machine): Promise<void> {
  const { task = classification.name } = job;
  const make = makers.get(task);
  if (make === undefined)
    throw new Error(`this trainer makes models for ${[...makers.keys()].join(' and ')}, and the job asks for ${task}`);
  const outputs = await writeOutputs(job, await make(job, reporter, machine));
  await reporter.tell({ kind: 'succeeded', outputs });
}

/** Reports how it went and says with which code to exit. */
async function conclude(error: unknown, reporter: Reporter): Promise<number> {
  if (error instanceof Superseded) {
    console.error(error.message);
    return 0;
  }
  const reason = error instanceof Error ? error.message : 'unknown';
  console.error(reason);
  await reporter.tell({ kind: 'failed', reason: reason.slice(0, 1000) || 'unknown' });
  return error instanceof Stopped && error.reason === 'cancelled' ? 0 : 1;
}

async function main(): Promise<number> {
  const documentUrl = process.env['DARKROOM_JOB_URL'] ?? '';
  const { DARKROOM_EXECUTION, CONTAINER_APP_JOB_EXECUTION_NAME } = process.env;
  const execution = DARKROOM_EXECUTION ?? CONTAINER_APP_JOB_EXECUTION_NAME ?? `${hostname()}-${process.pid}`;
  const threads = Number(process.env['DARKROOM_TRAINER_THREADS'] ?? Math.min(2, availableParallelism()));
  const document: unknown = JSON.parse((await get(documentUrl, maxDocumentBytes)).toString('utf8'));
  const parsed = jobDocument.safeParse(document);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const reason = `the job document cannot be understood: ${issue?.path.join('.')}: ${issue?.message}`;
    console.error(reason);
    await refuse(document, execution, reason.slice(0, 1000));
    return 1;
  }
  const job = parsed.data;
  const reporter = createReporter(job, documentUrl, execution);
  if (job.cancelRequested) reporter.stop('cancelled');
  // a machine that is taken away (preemption, maintenance, Ctrl-C) says so with SIGTERM and kills half a minute later
  process.once('SIGTERM', () => reporter.stop(terminated));
  let machine: Machine;
  try {
    machine = await chooseMachine(process.env['DARKROOM_EXECUTION_PROVIDER'], threads);
  } catch (error) {
    return conclude(error, reporter);
  }
  try {
    // until this report stands the run is not ours, and no other report may take a sequence from its owner
    await reporter.tell({ kind: 'started', machine, code: codeDigest(import.meta.filename) });
  } catch (error) {
    if (!(error instanceof Superseded)) throw error;
    console.error(error.message);
    return 0;
  }
  try {
    await Promise.race([work(job, reporter, machine), reporter.watch()]);
    return 0;
  } catch (error) {
    return conclude(error, reporter);
  }
}

if (process.argv[2] === '--describe') {
  console.log(JSON.stringify({ trainers: builtInDescriptions }));
  process.exit(0);
}
try {
  // a job that is told to end may be in the middle of its work, or wait for storage
  process.exit(await main());
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(2);
}
