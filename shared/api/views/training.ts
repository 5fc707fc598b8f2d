/** A training as the API shows it. */
import * as z from 'zod';
import type { RunDocument } from '../../training/document.ts';
import { computeNames, usualCompute } from '../../project/settings.ts';
import { taskOf } from '../../task/task.ts';
import type { Verdict } from '../../task/verdict.ts';
import * as ofKinds from '../../task/views.ts';
import { image, time } from './page.ts';

/** What the gate found of a model, with a sentence for every rule that it looked at. */
export const verdict = ofKinds.verdict;

/** `task`: the kind of the model that it is about. */
export const toVerdictView = (task: string, given: Verdict): z.infer<typeof verdict> =>
  taskOf({ task }).views.verdict(given) as z.infer<typeof verdict>;

/** A verdict without its sentences, which name classes. */
export const verdictSummary = ofKinds.verdictSummaryWith({
  /** how many rules had each outcome; those that are noted could not be judged and decide nothing */
  rules: z.object({ passed: z.number(), failed: z.number(), noted: z.number() }),
});

/** Counts the rules by the word that each sentence begins with. */
export const toVerdictSummary = (task: string, given: Verdict): z.infer<typeof verdictSummary> => {
  const { decision, reasons } = given;
  const withOutcome = (outcome: string): number => reasons.filter((one) => one.startsWith(`${outcome}: `)).length;
  const rules = { passed: withOutcome('passed'), failed: withOutcome('failed'), noted: withOutcome('noted') };
  const shown = taskOf({ task }).views.verdictSummary(given);
  return { decision, ...shown, rules } as z.infer<typeof verdictSummary>;
};

/** Where a model came from that no training here made. */
export const originView = z.object({
  kind: z.literal('uploaded'),
  by: z.string(),
  source: z.string().nullable(),
  notes: z.string().nullable(),
  metrics: z.record(z.string(), z.number()),
  at: time,
});

export const trainingView = z.object({
  id: z.string(),
  state: z.enum(['queued', 'submitted', 'running', 'evaluating', 'registered', 'rejected', 'failed', 'cancelled']),
  attempt: z.number(),
  version: z.object({ id: z.string(), number: z.number() }),
  trainer: z.object({
    name: z.string(),
    parameters: z.record(z.string(), z.unknown()),
    timeoutSeconds: z.number(),
    compute: z.enum(computeNames),
  }),
  seed: z.number(),
  classes: z.array(z.string()),
  image,
  /** who brought the model and what they say of it, where no training here made it; null: it is trained here */
  origin: originView.nullable(),
  requestedBy: z.string(),
  reason: z.string(),
  /** why it does not run yet, or what it waits for, in a sentence; null where nobody looked it up */
  queueReason: z.string().nullable(),
  /** seconds that its attempts kept compute busy; docs/costs.md has what one costs */
  computeSeconds: z.number(),
  /** digest of the program that trains, as the job says; null until it has begun */
  code: z.string().nullable(),
  /** what it computes on, as the job says; null until it has begun */
  machine: z
    .object({ executionProvider: z.string(), threads: z.number(), accelerator: z.string().optional() })
    .nullable(),
  /** page on which a person who may see the compute reads what the job writes; null where compute names none */
  logsUrl: z.string().nullable(),
  progress: z.object({ phase: z.string(), done: z.number(), total: z.number() }).nullable(),
  metrics: z.array(z.object({ key: z.string(), value: z.number(), step: z.number() })),
  failure: z.object({ code: z.string(), detail: z.string(), retryable: z.boolean() }).nullable(),
  attempts: z.array(
    z.object({
      attempt: z.number(),
      execution: z.string().nullable(),
      failure: z.string().nullable(),
      endedAt: time,
      logsUrl: z.string().nullable(),
    }),
  ),
  /** samples that the job and the backend could not read, the first ten of them: they wait for review */
  unreadable: z.object({
    samples: z.number(),
    first: z.array(z.object({ sample: z.string(), reason: z.string() })),
  }),
  model: z.number().nullable(),
  /** null until a model was judged */
  verdict: verdict.nullable(),
  cancelRequested: z.boolean(),
  createdAt: time,
  submittedAt: time.nullable(),
  startedAt: time.nullable(),
  trainedAt: time.nullable(),
  endedAt: time.nullable(),
});

/** A training as the API shows it; `queueReason` says why it does not run yet. */
export const toTrainingView = (run: RunDocument, queueReason: string | null = null): z.infer<typeof trainingView> => {
  const {
    id,
    state,
    attempt,
    version,
    trainer,
    seed,
    classes,
    requestedBy,
    reason,
    progress,
    metrics,
    failure,
    model,
  } = run;
  const { cancelRequested, createdAt, submittedAt, startedAt, trainedAt, endedAt } = run;
  const attempts = run.attempts.map((a) => ({
    attempt: a.attempt,
    execution: a.execution,
    failure: a.failure,
    endedAt: a.endedAt,
    logsUrl: a.logsUrl ?? null,
  }));
  return {
    ...{
      id,
      state,
      attempt,
      version,
      trainer: { ...trainer, compute: trainer.compute ?? usualCompute },
      seed,
      classes,
      image: run.image,
      requestedBy,
      reason,
      progress,
      metrics,
    },
    ...{
      origin: run.origin ?? null,
      queueReason,
      logsUrl: run.logsUrl ?? null,
      computeSeconds: run.computeSeconds,
      code: run.code ?? null,
      machine: run.machine ?? null,
    },
    ...{
      failure,
      attempts,
      model,
      unreadable: {
        samples: run.unreadable?.length ?? 0,
        first: (run.unreadable ?? []).slice(0, 10).map(({ md5, reason }) => ({ sample: md5, reason })),
      },
      verdict: run.verdict === undefined ? null : toVerdictView(run.task, run.verdict),
      cancelRequested,
      createdAt,
      submittedAt,
      startedAt,
      trainedAt,
      endedAt,
    },
  };
};

/** A training in a list: without what grows with its classes, its length and its attempts. */
export const trainingSummaryView = trainingView.omit({ classes: true, metrics: true, attempts: true }).extend({
  classCount: z.number(),
  trainer: trainingView.shape.trainer.omit({ parameters: true }),
  unreadable: trainingView.shape.unreadable.omit({ first: true }),
  /** null until a model was judged */
  verdict: verdictSummary.nullable(),
});

/** A training as lists show it. */
export const toTrainingSummary = (
  run: RunDocument,
  queueReason: string | null = null,
): z.infer<typeof trainingSummaryView> => {
  const { classes, metrics: _metrics, attempts: _attempts, ...small } = toTrainingView(run, queueReason);
  return {
    ...small,
    classCount: classes.length,
    trainer: { name: run.trainer.name, timeoutSeconds: run.trainer.timeoutSeconds, compute: small.trainer.compute },
    unreadable: { samples: small.unreadable.samples },
    verdict: run.verdict === undefined ? null : toVerdictSummary(run.task, run.verdict),
  };
};
