/** A model and its verdict enter the registry. */
import type { ModelDocument } from '../model/document.ts';
import { registerModel } from '../model/register.ts';
import type { Ports } from '../ports.ts';
import type { ProjectSettings } from '../project/settings.ts';
import type { Metrics } from '../task/models.ts';
import type { Verdict } from '../task/verdict.ts';
import type { RunDocument } from '../training/document.ts';
import type { Artifact } from './collect-artifact.ts';

/** Registers the model of a run, unless one of the same bytes is registered: that one is returned. Safe to repeat. */
export async function registerEvaluated(
  ports: Pick<Ports, 'clock' | 'documents'>,
  run: RunDocument,
  settings: ProjectSettings,
  artifact: Artifact,
  { metrics, verdict }: { metrics: Metrics; verdict: Verdict },
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
    metadata: artifact.metadata,
    run: run.id,
    version: run.version,
    metrics,
    verdict,
    lineage: {
      trainer: run.trainer.name,
      parameters: run.trainer.parameters,
      seed: run.seed,
      code: run.code ?? null,
      ...(run.origin !== undefined && { origin: run.origin }),
    },
    smoke: artifact.smoke,
    createdAt: ports.clock.now().toISOString(),
    decidedBy: state === 'candidate' ? null : 'gate',
  });
}

export interface Final {
  verdict: Verdict;
  /** whether the model goes live by itself, if settings and state allow it */
  mayDeploy: boolean;
}

/**
 * The verdict that counts for a run. Training again may give the bytes of an earlier model, which keeps its number, its
 * state and its own verdict: that one was about another champion or another version.
 */
export function verdictThatCounts(
  run: RunDocument,
  model: ModelDocument,
  verdict: Verdict,
  wasDeployed: boolean,
): Final {
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
