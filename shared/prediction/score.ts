/** Scoring one image with the model behind a project's endpoint. */
import { createHash } from 'node:crypto';
import { createBudget } from '../budget.ts';
import type { EndpointDocument } from '../endpoint/document.ts';
import type { ModelDocument } from '../model/document.ts';
import type { PredictionDocument } from './document.ts';
import { chooseTarget } from '../endpoint/choose-target.ts';
import type { Target } from '../endpoint/endpoint.ts';
import { placementOf } from '../image/placement.ts';
import { RetryLater, TerminalError } from '../errors.ts';
import type { PreprocessedImage } from '../image/decode.ts';
import type { LabelledRectangle } from '../image/draw.ts';
import type { ImageSpec } from '../image/size.ts';
import type { ImageRefusal } from '../image/structure.ts';
import type { Ports } from '../ports.ts';
import { loadModel } from '../model/artifact.ts';
import { modelId } from '../model/register.ts';
import type { Prediction } from '../task/models.ts';
import { type TaskKind, taskOf } from '../task/task.ts';
import type { Infer } from './inference.ts';

export interface ScorePorts extends Ports {
  /** models behind endpoints */
  inferServed: Infer;
  /** any other model that somebody asks for: their memory is their own, however many are asked for */
  inferPinned: Infer;
  preprocess: (
    bytes: Buffer,
    declaredType: string | undefined,
    spec: ImageSpec,
  ) => Promise<PreprocessedImage | ImageRefusal>;
  draw: (bytes: Buffer, rectangles: readonly LabelledRectangle[]) => Promise<Buffer | ImageRefusal>;
}

export interface ScoreAnswer {
  task: string;
  /** in the form of the kind */
  prediction: object;
  predictionId: string;
  model: { version: number; digest: string };
  datasetVersion: { id: string; number: number };
  durationMs: number;
  /** a PNG of the picture with the prediction on it, where that was asked for */
  drawn?: Buffer;
}

/** A model that has no answer for an image: not-a-number, or it cannot compute one. It counts against the model. */
export class Unanswered extends TerminalError {
  readonly predictionId: string;
  constructor(message: string, predictionId: string) {
    super('no-answer', message);
    this.predictionId = predictionId;
  }
}

/** Scores an image for the project of that name. Owners (keys) take turns. Throws Unanswered where the model has no answer. */
export type ScoreImage = (
  project: string,
  image: { bytes: Buffer; contentType: string | undefined },
  options: { owner?: string; pin?: number | undefined; draw?: boolean; traceparent?: string | undefined },
) => Promise<ScoreAnswer>;

/** How long an instance trusts what it knows of an endpoint: a change is noticed within 2 s, so this stays below. */
const endpointTrustMs = 1000;
const maxRemembered = 500;
/**
 * More at once are no faster: four threads decode, and one for each processor infers. Whoever waits in those lines cannot be
 * overtaken by another owner, so of one owner only half as many are in them.
 */
const maxScoresAtOnce = 16;
const maxScoresOfOwner = 8;

/** Partition of a prediction: sixteen per project. */
export const predictionPartition = (project: string, id: string): string => `${project}:${id.slice(2, 3)}`;

class Remembered<T> {
  readonly #entries = new Map<string, { value: T; at: number }>();
  get(key: string, now: number, trustMs: number): T | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && now - entry.at < trustMs && now >= entry.at ? entry.value : undefined;
  }
  set(key: string, value: T, now: number): void {
    const oldest = this.#entries.keys().next().value;
    if (this.#entries.size >= maxRemembered && oldest !== undefined) this.#entries.delete(oldest);
    this.#entries.delete(key);
    this.#entries.set(key, { value, at: now });
  }
}

/** Creates the scorer of one process: it remembers endpoints for a second and model documents, which never change their digest. */
export function createScorer(ports: ScorePorts): ScoreImage {
  const endpoints = new Remembered<EndpointDocument | null>();
  const models = new Remembered<ModelDocument>();

  const endpointOf = async (project: string): Promise<EndpointDocument | null> => {
    // the time before the read counts: an answer that was slow to come is that much older
    const now = ports.clock.now().getTime();
    const known = endpoints.get(project, now, endpointTrustMs);
    if (known !== undefined) return known;
    const read = (await ports.documents.read('endpoints', project, 'endpoint'))?.document ?? null;
    endpoints.set(project, read, now);
    return read;
  };
  const modelOf = async (project: string, number: number): Promise<ModelDocument | undefined> => {
    const now = ports.clock.now().getTime();
    const known = models.get(`${project}/${number}`, now, 3_600_000);
    if (known !== undefined) return known;
    const read = (await ports.documents.read('models', project, modelId(number)))?.document;
    if (read !== undefined) models.set(`${project}/${number}`, read, now);
    return read;
  };

  const score = async (
    startedAt: number,
    ...[project, scored, options]: Parameters<ScoreImage>
  ): Promise<ScoreAnswer> => {
    const id = `p-${createHash('sha256').update(ports.ids.next()).digest('hex').slice(0, 24)}`;
    const endpoint = await endpointOf(project);
    if (endpoint === null) await assertProject(ports, project);
    const target = await choose(endpoint, id, project, options.pin, (n) => modelOf(project, n));
    const model = await modelOf(project, target.model);
    if (model === undefined)
      throw new TerminalError(
        'unknown-model',
        `Project ${project} has no model ${target.model}, though its endpoint names it. Deploy another one.`,
      );
    const kind = taskOf(model);
    if (options.draw === true) assertDrawn(kind);
    const image = await ports.preprocess(scored.bytes, scored.contentType, model.image);
    if (!image.ok)
      throw new TerminalError(
        image.reason === 'unsupported-format' || image.reason === 'not-an-image' ? 'unsupported-type' : 'bad-image',
        image.detail,
      );
    const document = emptyPrediction(project, id, model, target, image);
    try {
      const isServed = [endpoint?.production?.digest, endpoint?.canary?.digest].includes(model.digest);
      const infer = isServed ? ports.inferServed : ports.inferPinned;
      const load = (): Promise<Buffer> => loadModel(ports.blobs, project, model.digest);
      const ends = kind.ends(model.classes, model.image);
      const [outputs = {}] = await infer(model.digest, load, [image.tensor], ends);
      document.prediction = kind.decode({
        outputs,
        classes: model.classes,
        metadata: model.metadata ?? {},
        placement: placementOf(image, model.image),
      });
      if (document.prediction === null) throw new Error(kind.noAnswer);
    } catch (error) {
      // storage that does not answer is no error of the model: it must not return a canary
      if (error instanceof RetryLater) throw error;
      document.error = error instanceof Error ? error.message.slice(0, 500) : 'inference failed';
    }
    const at = ports.clock.now();
    document.durationMs = at.getTime() - startedAt;
    document.at = at.toISOString();
    // stored before it is answered: an answer that nobody can trace is worth nothing
    await ports.documents.create('predictions', document);
    const outcome = document.prediction === null ? 'failed' : 'scored';
    const { durationMs, role } = document;
    ports.telemetry.metric('score-milliseconds', durationMs, {
      ...{ project, model: String(model.number), role, outcome },
    });
    ports.telemetry.stage({
      ...{ stage: 'score', project, outcome, durationMs },
      ids: { prediction: id, model: String(model.number), role },
    });
    if (document.prediction === null) {
      const why = `Model ${model.number} has no answer for this image: ${document.error ?? ''}.`;
      throw new Unanswered(`${why} Prediction ${id} keeps it; another image, or an earlier model, may do better.`, id);
    }
    return {
      task: model.task,
      prediction: document.prediction,
      predictionId: id,
      model: { version: model.number, digest: model.digest },
      datasetVersion: model.version,
      durationMs: document.durationMs,
      ...(options.draw === true && { drawn: await drawnOn(ports, scored.bytes, kind, document.prediction) }),
    };
  };

  const turns = createBudget(maxScoresAtOnce, { perOwner: maxScoresOfOwner });
  return async (...call) => {
    const startedAt = ports.clock.now().getTime();
    const release = await turns.take(1, call[2].owner);
    return score(startedAt, ...call).finally(release);
  };
}

/** Asked before anything is scored: a prediction that nobody is told of is none. */
function assertDrawn({ name, views }: TaskKind): void {
  if (views.drawing !== undefined) return;
  const why = `What models of the task kind ${name} predict lies nowhere in the picture, so that there is nothing to draw.`;
  throw new TerminalError('invalid-query', `${why} Leave "render" out: the answer is JSON then.`, 'render');
}

async function drawnOn(
  { draw }: Pick<ScorePorts, 'draw'>,
  bytes: Buffer,
  { views }: TaskKind,
  prediction: Prediction,
): Promise<Buffer> {
  const drawn = await draw(bytes, views.drawing?.(prediction) ?? []);
  if (Buffer.isBuffer(drawn)) return drawn;
  throw new TerminalError('bad-image', `The picture was scored, and cannot be drawn: ${drawn.detail}`);
}

/** Asked only where nothing has ever been live: every score would pay for it. */
async function assertProject(ports: ScorePorts, project: string): Promise<void> {
  if ((await ports.documents.read('projects', 'projects', project)) !== undefined) return;
  throw new TerminalError(
    'unknown-project',
    `There is no project "${project}". Create it with PUT /api/v1/projects/${project}.`,
  );
}

async function choose(
  endpoint: EndpointDocument | null,
  id: string,
  project: string,
  pin: number | undefined,
  modelOf: (number: number) => Promise<ModelDocument | undefined>,
): Promise<Target & { role: PredictionDocument['role'] }> {
  if (pin !== undefined) {
    const model = await modelOf(pin);
    if (model === undefined)
      throw new TerminalError(
        'unknown-model',
        `Project ${project} has no model ${pin}. GET /api/v1/projects/${project}/models lists them.`,
      );
    return { model: pin, digest: model.digest, deployment: 'pinned', role: 'pinned' };
  }
  // the id is random, so a part of it is the dice
  const routed =
    endpoint === null ? undefined : chooseTarget(endpoint, Number.parseInt(id.slice(10, 18), 16) / 0x1_0000_0000);
  if (routed === undefined) {
    throw new TerminalError(
      'no-model',
      'No model is live yet. Wait for the first training, or deploy a model version.',
    );
  }
  return { ...routed.target, role: routed.role };
}

function emptyPrediction(
  project: string,
  id: string,
  model: ModelDocument,
  target: Target & { role: PredictionDocument['role'] },
  { bytes, trailingBytes, declaredType }: PreprocessedImage,
): PredictionDocument {
  return {
    id,
    pk: predictionPartition(project, id),
    project,
    model: { number: model.number, digest: model.digest },
    version: model.version,
    deployment: target.deployment,
    role: target.role,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    ...(trailingBytes > 0 && { trailingBytes }),
    ...(declaredType !== null && { declaredType }),
    task: model.task,
    prediction: null,
    error: null,
    durationMs: 0,
    at: '',
  };
}
