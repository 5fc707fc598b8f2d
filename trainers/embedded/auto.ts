/** The trainer that chooses: it compares methods on the training split alone, and trains with the one that does best there. */
import { backboneParts } from '../../shared/onnx/backbone.ts';
import type { ClassifierShape } from '../../shared/task/classification/ends.ts';
import { type Sample, scoreModel } from './evaluate.ts';
import { edges, embeddingOf, type Features, type FeatureTable } from './features.ts';
import { servingGraph } from './graphs.ts';
import { fitLogistic, predict } from './logistic.ts';
import type { Choice, Method, MethodOptions, Samples, Trained } from './method.ts';
import { trainLinear, withFeatures } from './transfer.ts';

const folds = 5;
/** Pictures that features are compared on: with 400 a difference of five points shows, after a few seconds. */
const comparedMost = 400;
/** of each class, where there are many classes */
const comparedOfClass = 4;
/** A network from scratch needs this many pictures before it can win, and is compared on so many at most: it takes minutes. */
const networkFrom = 2000;
const networkMost = 5000;
/** in which share of pictures it has to be right besides: it takes a hundred times longer to train */
const networkMargin = 0.01;
/** Grey pictures that are no larger are drawn shapes more often than photographs, which the backbone was trained on. */
const tinySide = 64;

interface Candidate {
  method: 'embedding' | 'edges';
  features: Features;
  strength: number;
  table: FeatureTable;
}

/** Samples and the fold of each: a class's samples in turn, so that every fold has its part of every class. */
interface Dealt {
  samples: Sample[];
  foldOf: number[];
}

/** The first samples of every class, `most` in all, dealt out to folds. */
function deal(samples: readonly Sample[], classes: number, most: number): Dealt {
  const byClass = Array.from({ length: classes }, (): Sample[] => []);
  for (const sample of samples) byClass[sample.label]?.push(sample);
  const dealt: Dealt = { samples: [], foldOf: [] };
  for (let turn = 0; turn < samples.length; turn++) {
    for (const own of byClass) {
      const sample = own[turn];
      if (sample === undefined) continue;
      if (dealt.samples.length === most) return dealt;
      dealt.samples.push(sample);
      dealt.foldOf.push(turn % folds);
    }
  }
  return dealt;
}

const split = ({ samples, foldOf }: Dealt, fold: number): { others: Sample[]; own: Sample[] } => ({
  others: samples.filter((_, i) => foldOf[i] !== fold),
  own: samples.filter((_, i) => foldOf[i] === fold),
});

/** How many rows of probabilities are greatest at the sample's own class. */
function countRight(probabilities: Float32Array, samples: readonly Sample[], classes: number): number {
  return samples.filter(({ label }, i) => {
    const row = probabilities.subarray(i * classes, (i + 1) * classes);
    const own = row[label] ?? 0;
    return row.every((value, other) => value < own || other === label);
  }).length;
}

/** Right answers of a linear head on features for pictures of one fold after training on the others. */
async function rightInFold(
  { table, strength }: Candidate,
  { others, own }: { others: Sample[]; own: Sample[] },
  classes: number,
  options: MethodOptions,
): Promise<number> {
  if (own.length === 0 || others.length === 0) return 0;
  let steps = 0;
  const afterStep = (): Promise<void> => options.afterStep(++steps, steps);
  const head = await fitLogistic(await table.rowsWithCopiesOf(others), classes, strength, {
    threads: options.threads,
    afterStep,
  });
  return countRight(predict(head, await table.rowsOf(own), classes), own, classes);
}

async function crossValidate(
  candidate: Candidate,
  dealt: Dealt,
  classes: number,
  options: MethodOptions,
): Promise<Choice['compared'][number]> {
  let right = 0;
  for (let fold = 0; fold < folds; fold++) right += await rightInFold(candidate, split(dealt, fold), classes, options);
  const samples = dealt.samples.length;
  return { method: candidate.method, by: 'cross-validation', accuracy: right / samples, samples };
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** The one with the most right answers; of equal ones the first. */
const bestOf = (compared: Choice['compared']): Choice['compared'][number] | undefined =>
  compared.toSorted((a, b) => b.accuracy - a.accuracy)[0];

/** Embedding and edges by cross-validation; undefined where there are too few samples to leave one out. */
async function compareFeatures(
  candidates: Candidate[],
  train: Sample[],
  classes: number,
  options: MethodOptions,
): Promise<Choice['compared']> {
  const most = Math.max(comparedMost, comparedOfClass * classes);
  const dealt = deal(train, classes, most);
  // every class in one fold alone: whatever is left out was never learned
  if (new Set(dealt.foldOf).size < 2) return [];
  const compared: Choice['compared'] = [];
  for (const candidate of candidates) compared.push(await crossValidate(candidate, dealt, classes, options));
  return compared;
}

/** The network from scratch against the best features, on one fold that neither has learned from. */
async function compareNetwork(
  best: Candidate,
  network: Method,
  { train, validation }: Samples,
  shape: ClassifierShape,
  options: MethodOptions,
): Promise<Choice['compared']> {
  const { others, own } = split(deal(train, shape.classes, networkMost), 0);
  // epochs of a network that is only tried are nobody's history
  const quiet = { ...options, afterEpoch: () => Promise.resolve() };
  const { architecture, fitted } = await network({ train: others, validation }, shape, quiet);
  const { bytes } = servingGraph(architecture, shape, fitted.weights, {});
  const tried = countRight(await scoreModel(bytes, own, shape, options.threads), own, shape.classes);
  const right = await rightInFold(best, { others, own }, shape.classes, options);
  const samples = own.length;
  return [
    { method: best.method, by: 'left-out', accuracy: right / samples, samples },
    { method: 'network', by: 'left-out', accuracy: tried / samples, samples },
  ];
}

const say = ({ method, accuracy }: Choice['compared'][number]): string => `${method} ${percent(accuracy)}`;

function noteOf(chosen: string, { features, network }: Compared, why: { train: number; from: number }): string {
  const [first] = features;
  const byFeatures =
    first === undefined
      ? 'no class has a second picture to compare methods with'
      : `of ${first.samples} pictures of the training split right in cross-validation: ${features.map(say).join(', ')}`;
  const [beside] = network;
  const byNetwork =
    beside === undefined
      ? `a network from scratch is compared from ${why.from} training pictures on, and there are ${why.train}`
      : `of ${beside.samples} that were left out: ${network.map(say).join(', ')}`;
  return `${chosen} was chosen; ${byFeatures}; ${byNetwork}`;
}

/** What methods got right: features by cross-validation, and of left-out pictures the best features, then the network. */
interface Compared {
  features: Choice['compared'];
  network: Choice['compared'];
}

/** Whether a network from scratch got so many more of the left-out pictures right that it is worth its time. */
export function isNetworkWorth(network: Choice['compared']): boolean {
  const [known, tried] = network;
  if (known === undefined || tried === undefined) return false;
  // in pictures, which are whole: shares are rounded
  return Math.round((tried.accuracy - known.accuracy) * tried.samples) >= networkMargin * tried.samples;
}

async function choose(
  candidates: [Candidate, Candidate],
  network: { method: Method; from: number },
  samples: Samples,
  shape: ClassifierShape,
  options: MethodOptions,
): Promise<{ best: Candidate; isNetwork: boolean; choice: Choice }> {
  const [{ train }, { from }] = [samples, network];
  const features = await compareFeatures(candidates, train, shape.classes, options);
  const best = candidates.find(({ method }) => method === bestOf(features)?.method) ?? candidates[0];
  const beside = train.length < from ? [] : await compareNetwork(best, network.method, samples, shape, options);
  const isNetwork = isNetworkWorth(beside);
  const chosen = isNetwork ? 'network' : best.method;
  const note = noteOf(chosen, { features, network: beside }, { train: train.length, from });
  return { best, isNetwork, choice: { chosen, compared: [...features, ...beside], note } };
}

/**
 * Compares the embedding (seen about `side` pixels long), edges and, from `from` training pictures on, a network from
 * scratch, and trains with the best. The validation split chooses the network's epoch and nothing else. The same samples
 * give the same choice.
 */
export const auto =
  (side: number, strengths: Record<Candidate['method'], number>, network: Method, from = networkFrom): Method =>
  async (samples, shape, options) => {
    const embedding = embeddingOf(shape, side, await backboneParts());
    return withFeatures(embedding, shape, options, (seen) =>
      withFeatures(edges, shape, options, async (drawn) => {
        const byEmbedding = {
          method: 'embedding',
          features: embedding,
          strength: strengths.embedding,
          table: seen,
        } as const;
        const byEdges = { method: 'edges', features: edges, strength: strengths.edges, table: drawn } as const;
        const isTiny = shape.channels === 1 && Math.max(shape.height, shape.width) <= tinySide;
        const order: [Candidate, Candidate] = isTiny ? [byEdges, byEmbedding] : [byEmbedding, byEdges];
        const { best, isNetwork, choice } = await choose(order, { method: network, from }, samples, shape, options);
        await options.afterChoice?.(choice);
        const trained: Trained = isNetwork
          ? await network(samples, shape, options)
          : await trainLinear(best.features, best.table, samples, shape, best.strength, options);
        return { ...trained, choice };
      }),
    );
  };
