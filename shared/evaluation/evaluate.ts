/** `evaluations` -> verdict, model version, and its deployment. The trainer's own metrics are never trusted. */
import type * as z from 'zod';
import type { runTrained } from '../delivery/message.ts';
import { sendOutbox } from '../delivery/send-outbox.ts';
import type { EndpointDocument } from '../endpoint/document.ts';
import { TerminalError } from '../errors.ts';
import type { ModelDocument } from '../model/document.ts';
import { modelId } from '../model/register.ts';
import type { Ports } from '../ports.ts';
import type { ProjectSettings } from '../project/settings.ts';
import type { Metrics } from '../task/models.ts';
import { taskOf } from '../task/task.ts';
import type { Verdict } from '../task/verdict.ts';
import type { RunDocument } from '../training/document.ts';
import { maxUnreadable } from '../training/job-contract.ts';
import { unreadableSamples } from '../training/run.ts';
import { assessRun, type AssessedRun } from './assess-run.ts';
import { type Artifact, collectArtifact, type ValidatePorts } from './collect-artifact.ts';
import { continueLater, endCancelled, endRun, failRun } from './end-run.ts';
import { registerEvaluated, verdictThatCounts } from './register-evaluated.ts';
import type { EvaluationPorts } from './shards.ts';

type RunTrained = z.infer<typeof runTrained>;

export interface EvaluatePorts extends Ports, EvaluationPorts, ValidatePorts {}

/** Handles a run whose training succeeded. Safe to repeat. */
export async function evaluate(
  ports: EvaluatePorts,
  message: RunTrained,
): Promise<{ outcome: string; model?: string }> {
  const loaded = await loadRun(ports, message);
  if ('outcome' in loaded) return loaded;
  const { run, settings } = loaded;
  if (run.cancelRequested) return endCancelled(ports, message);
  const kind = taskOf(run);
  const endpoint = (await ports.documents.read('endpoints', run.pk, 'endpoint'))?.document;
  const champion = await championOf(ports, endpoint);
  let artifact: Artifact;
  let found: { metrics: Metrics; verdict: Verdict };
  try {
    artifact = await collectArtifact(ports, kind, run);
    const assessment = await assessRun(ports, kind, run, artifact, champion, message);
    if (assessment === 'continue') return await continueLater(ports, message);
    assertReadable(assessment);
    found = kind.evaluate({
      ...assessment,
      ...{ classes: run.classes, gate: settings.gate, champion: champion ?? null },
    });
    found.verdict.reasons.push(...notes(artifact, assessment));
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error;
    return failRun(ports, message, { code: error.code, detail: error.message });
  }
  const model = await registerEvaluated(ports, run, settings, artifact, found);
  const wasDeployed = endpoint?.history.some((served) => served.model === model.number) === true;
  const final = verdictThatCounts(run, model, found.verdict, wasDeployed);
  if (!(await endRun(ports, run, model, final, settings, message))) return endCancelled(ports, message);
  return { outcome: final.verdict.decision, model: String(model.number) };
}

/** The run that a message is about, or the outcome where there is nothing to evaluate. */
async function loadRun(
  ports: Ports,
  { data: { project, run: id } }: RunTrained,
): Promise<{ run: RunDocument; settings: ProjectSettings } | { outcome: string }> {
  const stored = await ports.documents.read('runs', project, id);
  const settings = (await ports.documents.read('projects', 'projects', project))?.document.settings;
  if (stored === undefined || settings === undefined) return { outcome: 'unknown-run' };
  const run = stored.document;
  if (run.state === 'evaluating') return { run, settings };
  // a delivery that ended the run may have died before it sent what follows
  await sendOutbox(ports, 'runs', stored);
  return { outcome: run.state };
}

async function championOf(
  ports: Pick<Ports, 'documents'>,
  endpoint: EndpointDocument | undefined,
): Promise<ModelDocument | undefined> {
  if (!endpoint?.production) return undefined;
  return (await ports.documents.read('models', endpoint.pk, modelId(endpoint.production.model)))?.document;
}

function assertReadable({ assessed, unreadable }: AssessedRun): void {
  const samples = assessed.length + unreadable;
  if (unreadable <= maxUnreadable(samples)) return;
  throw new TerminalError(
    unreadableSamples,
    `${unreadable} of ${samples} test samples cannot be read, more than 1 %: they wait for review, with the reason. Train again on the next version, which is without them.`,
  );
}

function notes({ smoke }: Artifact, { unreadable }: AssessedRun): string[] {
  return [
    ...(smoke.length > 0 ? [] : ['noted: training kept no answers that a deployment could check']),
    ...(unreadable === 0
      ? []
      : [`noted: ${unreadable} test samples cannot be read and were left out; they wait for review`]),
  ];
}
