/** `evaluations` -> verdict, model version, and its deployment. The trainer's own metrics are never trusted. */
import { createHash } from 'node:crypto';
import type * as z from 'zod';
import { setAside } from '../sample/set-aside.ts';
import type { EndpointDocument } from '../endpoint/document.ts';
import type { ModelDocument } from '../model/document.ts';
import type { RunDocument } from '../training/document.ts';
import type { VersionSummary } from '../dataset/document.ts';
import { TerminalError } from '../errors.ts';
import { type AssessedSplit, assessTestSplit, evaluatedModel, type EvaluationPorts } from './shards.ts';
import { readKeptAnswers } from './kept-answers.ts';
import { maxModelBytes, modelBlob } from '../model/artifact.ts';
import type { Cause, runTrained } from '../delivery/message.ts';
import { compose } from '../delivery/compose.ts';
import { sendOnce } from '../delivery/send-once.ts';
import { sendOutbox } from '../delivery/send-outbox.ts';
import type { Ports } from '../ports.ts';
import type { ProjectSettings } from '../project/settings.ts';
import { approval, waitsForPerson } from '../model/approve.ts';
import { modelId, registerModel } from '../model/register.ts';
import type { ModelEnds } from '../onnx/ends.ts';
import type { KeptAnswer, Metrics } from '../task/models.ts';
import { taskOf, type TaskKind } from '../task/task.ts';
import type { Verdict } from '../task/verdict.ts';
import { maxUnreadable } from '../training/job-contract.ts';
import { findVersion } from '../dataset/find-version.ts';
import { isOpen, unreadableSamples } from '../training/run.ts';
import { applyToRun } from '../training/apply.ts';
import { attemptPrefix } from '../training/job.ts';
import { cancelled } from '../training/run.ts';

type RunTrained = z.infer<typeof runTrained>;

export interface EvaluatePorts extends Ports, EvaluationPorts {
  validate: (bytes: Buffer, ends: ModelEnds) => Promise<{ ok: true } | { ok: false; reason: string; detail: string }>;
}

/** One delivery works this long, then hands on to the next: well below the function timeout. */
const timeBudgetMs = 4 * 60_000;

/** Handles a run whose training succeeded. */
export async function evaluate(
  ports: EvaluatePorts,
  message: RunTrained,
): Promise<{ outcome: string; model?: string }> {
  const { project, run: id } = message.data;
  const stored = await ports.documents.read('runs', project, id);
  const settings = (await ports.documents.read('projects', 'projects', project))?.document.settings;
  if (stored === undefined || settings === undefined) return { outcome: 'unknown-run' };
  const run = stored.document;
  if (run.state !== 'evaluating') {
    // a delivery that ended the run may have died before it told anybody
    await sendOutbox(ports, 'runs', stored);
    return { outcome: run.state };
  }
  const fail = async (code: string, detail: string): Promise<{ outcome: string }> => {
    const at = ports.clock.now().toISOString();
    const after = await applyToRun(ports, project, id, { kind: 'failed', code, detail, at }, message);
    return { outcome: after?.state === 'cancelled' ? 'cancelled' : code };
  };
  if (run.cancelRequested) return cancelledMeanwhile(ports, message);
  const kind = taskOf(run);
  const artifact = await collectArtifact(ports, kind, run);
  if ('problem' in artifact) return fail(artifact.problem, artifact.detail);
  const endpoint = (await ports.documents.read('endpoints', project, 'endpoint'))?.document;
  const champion = await championOf(ports, endpoint);
  let split: (AssessedSplit & { version: VersionSummary }) | 'continue';
  try {
    split = await assessRun(ports, kind, run, artifact, champion, message);
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error;
    return fail(error.code, error.message);
  }
  if (split === 'continue') return handOn(ports, message);
  const { assessed, unreadable, version } = split;
  const samples = assessed.length + unreadable;
  if (unreadable > maxUnreadable(samples)) {
    const detail = `${unreadable} of ${samples} test samples cannot be read, more than 1 %: they wait for review, with the reason. Train again on the next version, which is without them.`;
    return fail(unreadableSamples, detail);
  }
  const { metrics, verdict } = kind.evaluate({
    ...{ assessed, unreadable, version, classes: run.classes, gate: settings.gate, champion: champion ?? null },
  });
  if (artifact.smoke.length === 0)
    verdict.reasons.push('noted: training kept no answers that a deployment could check');
  if (unreadable > 0)
    verdict.reasons.push(`noted: ${unreadable} test samples cannot be read and were left out; they wait for review`);
  const model = await register(ports, run, settings, artifact, metrics, verdict);
  const wasDeployed = endpoint?.history.some((served) => served.model === model.number) === true;
  const final = verdictOf(run, model, verdict, wasDeployed);
  if (!(await announce(ports, run, model, final, settings, message))) return cancelledMeanwhile(ports, message);
  return { outcome: final.verdict.decision, model: String(model.number) };
}

/** Has the rest of an evaluation done by the next delivery: one, though this one is repeated. */
async function handOn(ports: EvaluatePorts, message: RunTrained): Promise<{ outcome: string }> {
  const { project, run } = message.data;
  const at = ports.clock.now().toISOString();
  const after = await applyToRun(ports, project, run, { kind: 'judged-in-part', at }, message);
  if (after === undefined) return cancelledMeanwhile(ports, message);
  const next = compose<RunTrained>('darkroom.run.trained', message.subject, message.data, message, 'next');
  await sendOnce(ports, { to: 'queue', queue: 'evaluations', message: next });
  return { outcome: 'continued' };
}

/** Ends a run whose cancellation came during its evaluation: whoever asked for it may have died before that. */
async function cancelledMeanwhile(ports: EvaluatePorts, message: RunTrained): Promise<{ outcome: string }> {
  const { project, run } = message.data;
  const current = (await ports.documents.read('runs', project, run))?.document;
  if (current?.cancelRequested !== true || !isOpen(current.state)) return { outcome: 'ended-meanwhile' };
  await applyToRun(ports, project, run, cancelled(ports.clock.now(), null), message);
  return { outcome: 'cancelled' };
}

async function assessRun(
  ports: EvaluatePorts,
  kind: TaskKind,
  run: RunDocument,
  { bytes, digest }: Extract<Artifact, { digest: string }>,
  champion: ModelDocument | undefined,
  cause: Cause,
): Promise<(AssessedSplit & { version: VersionSummary }) | 'continue'> {
  const project = (await ports.documents.read('projects', 'projects', run.pk))?.document;
  const version = await findVersion(ports, run.pk, run.version.id);
  const until = ports.clock.now().getTime() + timeBudgetMs;
  const split = await assessTestSplit(ports, {
    project: run.pk,
    kind,
    root: version.root,
    candidate: { digest, classes: run.classes, image: run.image, load: () => Promise.resolve(bytes) },
    champion: champion === undefined ? null : evaluatedModel(ports.blobs, champion),
    outOfTime: () => ports.clock.now().getTime() > until,
    async setAside(md5, reason) {
      if (project !== undefined) await setAside(ports, project, { md5, reason, training: run.id }, cause);
    },
  });
  return split === 'continue' ? split : { ...split, version };
}

type Artifact = { bytes: Buffer; digest: string; smoke: KeptAnswer[] } | { problem: string; detail: string };

/** Reads and checks what the job left behind, and keeps the model under its digest. */
async function collectArtifact(ports: EvaluatePorts, kind: TaskKind, run: RunDocument): Promise<Artifact> {
  const prefix = attemptPrefix(run.pk, run.id, run.token ?? '');
  const onnx = await ports.blobs.get('jobs', `${prefix}/model.onnx`, { maxBytes: maxModelBytes });
  if (onnx === undefined)
    return {
      problem: 'no-model',
      detail:
        'The job reported success but left no model.onnx. The trainer has to write it to its address in the job document before it reports success.',
    };
  if (onnx === 'too-large')
    return { problem: 'model-too-large', detail: `model.onnx has more than ${maxModelBytes / 1024 / 1024} MB.` };
  const valid = await ports.validate(onnx.body, kind.ends(run.classes, run.image));
  if (!valid.ok) return { problem: 'bad-model', detail: `model.onnx was refused (${valid.reason}): ${valid.detail}` };
  const smoke = await readKeptAnswers(ports.blobs, `${prefix}/smoke.json`, kind, run.classes);
  if ('problem' in smoke) return smoke;
  const digest = createHash('sha256').update(onnx.body).digest('hex');
  await ports.blobs.create('models', modelBlob(run.pk, digest), onnx.body, { contentType: 'application/octet-stream' });
  return { bytes: onnx.body, digest, smoke };
}

async function championOf(
  ports: Pick<Ports, 'documents'>,
  endpoint: EndpointDocument | undefined,
): Promise<ModelDocument | undefined> {
  if (!endpoint?.production) return undefined;
  return (await ports.documents.read('models', endpoint.pk, modelId(endpoint.production.model)))?.document;
}

async function register(
  ports: EvaluatePorts,
  run: RunDocument,
  settings: ProjectSettings,
  artifact: Extract<Artifact, { digest: string }>,
  metrics: Metrics,
  verdict: Verdict,
): Promise<ModelDocument> {
  const state =
    verdict.decision === 'rejected' ? 'rejected' : settings.gate.approval === 'manual' ? 'candidate' : 'approved';
  return registerModel(ports.documents, {
    pk: run.pk,
    state,
    digest: artifact.digest,
    sizeBytes: artifact.bytes.length,
    task: run.task,
    classes: run.classes,
    image: run.image,
    run: run.id,
    version: run.version,
    metrics,
    verdict,
    lineage: {
      trainer: run.trainer.name,
      parameters: run.trainer.parameters,
      seed: run.seed,
      code: run.code ?? null,
    },
    smoke: artifact.smoke,
    createdAt: ports.clock.now().toISOString(),
    decidedBy: state === 'candidate' ? null : 'gate',
  });
}

/**
 * The verdict that counts for a run. Training again may give the bytes of an earlier model, which keeps its number, its
 * state and its own verdict: that one was about another champion or another version.
 */
function verdictOf(run: RunDocument, model: ModelDocument, verdict: Verdict, wasDeployed: boolean): Final {
  // an earlier delivery registered it and died: what it decided stands, though the champion may be another by now
  if (model.run === run.id) return { verdict: model.verdict, mayDeploy: true };
  const sameBytes = `the bytes are those of model ${model.number}`;
  if (model.state === 'rejected') {
    const refusal = `failed: ${sameBytes}, which was rejected by ${model.decidedBy ?? 'the gate'}; approve that model if this no longer holds`;
    return { verdict: { ...verdict, decision: 'rejected', reasons: [...verdict.reasons, refusal] }, mayDeploy: false };
  }
  // whoever rolled it back, or put another in its place, knew it: it is not put back behind their back
  const note = wasDeployed ? ', which was deployed before; to have it again, deploy it' : '';
  return {
    verdict: { ...verdict, reasons: [...verdict.reasons, `noted: ${sameBytes}${note}`] },
    mayDeploy: !wasDeployed,
  };
}

interface Final {
  verdict: Verdict;
  /** whether the model goes live by itself, if settings and state allow it */
  mayDeploy: boolean;
}

/** Ends the run, and asks for the deployment in the same write: a run that was cancelled meanwhile deploys nothing. */
async function announce(
  ports: EvaluatePorts,
  run: RunDocument,
  model: ModelDocument,
  { verdict, mayDeploy }: Final,
  settings: ProjectSettings,
  message: RunTrained,
): Promise<boolean> {
  const isGood = verdict.decision === 'approved';
  const deploys = mayDeploy && isGood && model.state === 'approved' && settings.deploy.mode === 'automatic';
  const cause = {
    id: run.id,
    correlationid: run.correlation,
    traceparent: message.traceparent ?? run.traceparent ?? undefined,
  };
  const at = ports.clock.now().toISOString();
  const also = deploys
    ? [approval(run.pk, model.number, `d-${run.id}`, cause)]
    : isGood && mayDeploy
      ? waitsForPerson(model, settings.deploy.mode, at, cause)
      : [];
  const kind = isGood ? 'registered' : 'rejected';
  const event = { kind, model: model.number, verdict, at } as const;
  return (await applyToRun(ports, run.pk, run.id, event, message, { also })) !== undefined;
}
