/** The end of an evaluation in its run. */
import type * as z from 'zod';
import { compose } from '../delivery/compose.ts';
import type { runTrained } from '../delivery/message.ts';
import { sendOnce } from '../delivery/send-once.ts';
import { waitsForPerson } from '../model/feed-entries.ts';
import { approved } from '../model/messages.ts';
import type { ModelDocument } from '../model/document.ts';
import type { Ports } from '../ports.ts';
import type { ProjectSettings } from '../project/settings.ts';
import { applyToRun } from '../training/apply.ts';
import type { RunDocument } from '../training/document.ts';
import { cancelled, isOpen } from '../training/run.ts';
import type { Final } from './register-evaluated.ts';

type RunTrained = z.infer<typeof runTrained>;
type EndPorts = Pick<Ports, 'clock' | 'documents' | 'messages'>;

/**
 * Ends the run, and asks for the deployment in the same write: a run that was cancelled meanwhile deploys nothing. False where
 * it had ended.
 */
export async function endRun(
  ports: EndPorts,
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
    ? [approved(run.pk, model.number, `d-${run.id}`, cause)]
    : isGood && mayDeploy
      ? waitsForPerson(model, settings.deploy.mode, at, cause)
      : [];
  const kind = isGood ? 'registered' : 'rejected';
  const event = { kind, model: model.number, verdict, at } as const;
  return (await applyToRun(ports, run.pk, run.id, event, message, { also })) !== undefined;
}

/** Ends the run as failed; returns the outcome that it has then. */
export async function failRun(
  ports: EndPorts,
  message: RunTrained,
  { code, detail }: { code: string; detail: string },
): Promise<{ outcome: string }> {
  const { project, run } = message.data;
  const at = ports.clock.now().toISOString();
  const after = await applyToRun(ports, project, run, { kind: 'failed', code, detail, at }, message);
  return { outcome: after?.state === 'cancelled' ? 'cancelled' : code };
}

/** Has the rest of an evaluation done by the next delivery: one, though this one is repeated. */
export async function continueLater(ports: EndPorts, message: RunTrained): Promise<{ outcome: string }> {
  const { project, run } = message.data;
  const at = ports.clock.now().toISOString();
  const after = await applyToRun(ports, project, run, { kind: 'evaluated-in-part', at }, message);
  if (after === undefined) return endCancelled(ports, message);
  const next = compose<RunTrained>('darkroom.run.trained', message.subject, message.data, message, 'next');
  await sendOnce(ports, { to: 'queue', queue: 'evaluations', message: next });
  return { outcome: 'continued' };
}

/** Ends a run whose cancellation came during its evaluation: whoever asked for it may have died before that. */
export async function endCancelled(ports: EndPorts, message: RunTrained): Promise<{ outcome: string }> {
  const { project, run } = message.data;
  const current = (await ports.documents.read('runs', project, run))?.document;
  if (current?.cancelRequested !== true || !isOpen(current.state)) return { outcome: 'ended-meanwhile' };
  await applyToRun(ports, project, run, cancelled(ports.clock.now(), null), message);
  return { outcome: 'cancelled' };
}
