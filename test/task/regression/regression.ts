/**
 * A task kind for tests: every picture shows one number, and models answer a number. It proves that a kind is a folder:
 * nothing outside of this one knows of it.
 */
import * as z from 'zod';
import { isWithin, type OutputEnd } from '../../../shared/onnx/ends.ts';
import type { Answered, Evaluation } from '../../../shared/task/models.ts';
import type { TaskKind } from '../../../shared/task/task.ts';

const valued = z.strictObject({ value: z.number() });
type Valued = z.infer<typeof valued>;

const end: OutputEnd = {
  ...{ name: 'value', shape: [1], are: 'values', range: { least: -1e6, most: 1e6 } },
  ...{ advice: 'one number', repair: 'scale the last layer' },
};

/** What a model answers; null: no number. */
function valueOf({ outputs }: Pick<Answered, 'outputs'>): number | null {
  const data = outputs[end.name]?.data ?? new Float32Array();
  return data.length === 1 && isWithin(end, data) ? (data[0] ?? null) : null;
}

const assessed = z.object({ truth: z.number(), candidate: z.number().nullable(), champion: z.number().nullable() });
type Assessed = z.infer<typeof assessed>;

/** Mean absolute error; no answer is off by as much as a model can be. */
const errorOf = (samples: readonly Assessed[], of: 'candidate' | 'champion'): number =>
  samples.reduce((sum, one) => sum + (one[of] === null ? 1e6 : Math.abs(one.truth - one[of])), 0) / samples.length;

const gate = z.object({ mostError: z.number().min(0).default(1) });

function evaluate({ assessed: samples, gate: given, champion }: Evaluation<Assessed>) {
  const { mostError } = gate.parse(given);
  const error = errorOf(samples, 'candidate');
  const before = champion === null ? null : errorOf(samples, 'champion');
  const rule = (holds: boolean, text: string): string => `${holds ? 'passed' : 'failed'}: ${text}`;
  const reasons = [
    rule(samples.length > 0, `${samples.length} test samples`),
    rule(error <= mostError, `off by ${error.toFixed(3)} on average, ${mostError} at most`),
    ...(before === null ? [] : [rule(error <= before + mostError, `the champion is off by ${before.toFixed(3)}`)]),
  ];
  const isRejected = reasons.some((one) => one.startsWith('failed: '));
  const metrics = { meanAbsoluteError: error, samples: samples.length };
  return { metrics, verdict: { decision: isRejected ? 'rejected' : 'approved', reasons, ...metrics } as const };
}

interface Kept extends Valued {
  md5: string;
}
type Measured = ReturnType<typeof evaluate>['metrics'];

const read = (text: string): Valued | undefined => valued.safeParse({ value: Number(text) }).data;

export const regression: TaskKind<Valued> = {
  name: 'regression',
  settings: { classes: z.array(z.string()).max(0), trainer: 'simulated', gate },
  annotation: valued,
  canonical: ({ value }) => JSON.stringify({ value }),
  counts: () => [],
  brief: ({ value }) => String(value),
  changes: () => ({}),
  say: ({ value }) => `showing ${value}`,
  fromFolder(text) {
    const annotation = read(text);
    return annotation === undefined ? { why: 'it has no number between project and file' } : { annotation };
  },
  sidecars: false,
  toFolder: ({ value }) => String(value),
  fromMetadata(metadata) {
    const text = metadata['value'];
    if (text === undefined) return undefined;
    const annotation = read(text);
    return annotation === undefined
      ? { problem: { code: 'bad-value', detail: `The metadata's value ${text} is no number.` } }
      : { annotation };
  },
  filter: () => undefined,
  folder: ({ value }) => encodeURIComponent(String(value)),
  fieldsOf: (annotation) => ({ value: annotation?.value ?? null }),
  untrainable: (_settings, { samples, number }) =>
    samples > 1 ? undefined : { code: 'too-few-samples', detail: `Version ${number} has one sample.` },
  manifestLine: ({ value }) => ({ value }),
  trainers: {},
  onPicture: (annotation) => ({ annotation }),
  fit: 'letterbox',
  inputSize: () => ({ least: 16, most: 64, step: 4 }),
  metadata: z.object({}),
  ends: (_classes, { channels, height, width }) => ({ input: { channels, height, width }, outputs: [end] }),
  decode(answered) {
    const value = valueOf(answered);
    return value === null ? null : { value };
  },
  noAnswer: 'it answers no number',
  uncertainty: () => 0,
  assess: ({ value }, candidate, champion) => ({
    ...{ truth: value, candidate: valueOf(candidate), champion: champion === null ? null : valueOf(champion) },
  }),
  assessment: assessed,
  evaluate,
  keptAnswer: () => valued,
  sayKeptAnswer: () => 'its value',
  departs({ value }: Kept, served) {
    const now = valueOf(served);
    return now !== null && Math.abs(now - value) < 1e-3 ? undefined : `is ${now} and was ${value} in training`;
  },
  examples: {
    python: 'def answer(outputs, model):\n    return float(outputs["value"][0])\n',
    javascript: 'const answer = (outputs) => outputs.value.data[0];\n',
    csharp: '',
  },
  views: {
    prediction: (prediction: Valued | null) => ({ value: prediction?.value ?? null }),
    metrics: (metrics: Measured) => metrics,
    metricsSummary: (metrics: Measured) => metrics,
    verdict: (verdict) => verdict,
    verdictSummary: ({ samples }) => ({ samples }),
  },
};
