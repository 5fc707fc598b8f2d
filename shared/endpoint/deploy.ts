/** Deploying a model: it goes live after it was loaded and smoke-scored, or on trial as a canary first. */
import type * as z from 'zod';
import { applyToEndpoint } from './apply.ts';
import type { EndpointEvent } from './endpoint.ts';
import type { modelApproved } from '../delivery/message.ts';
import { sendOutbox } from '../delivery/send-outbox.ts';
import type { Ports } from '../ports.ts';
import { modelId } from '../model/register.ts';
import type { Inference } from '../prediction/inference.ts';
import { smokeTest } from './smoke-test.ts';

export interface DeployPorts extends Ports, Inference {}

/** Deploys an approved model: live, on trial, or not at all; says which. Safe to repeat: a deployment is handled once. */
export async function deployModel(
  ports: DeployPorts,
  message: z.infer<typeof modelApproved>,
): Promise<{ outcome: string; reason?: string }> {
  const { project, model: number, deployment, seenRevision } = message.data;
  const endpoint = await ports.documents.read('endpoints', project, 'endpoint');
  if (endpoint?.document.handled.includes(deployment)) {
    await sendOutbox(ports, 'endpoints', endpoint);
    return { outcome: 'handled-before' };
  }
  const model = (await ports.documents.read('models', project, modelId(number)))?.document;
  const settings = (await ports.documents.read('projects', 'projects', project))?.document.settings;
  if (model === undefined || settings === undefined) return { outcome: 'unknown-model' };
  if (model.state !== 'approved') return { outcome: `model-is-${model.state}` };
  const problem = await smokeTest(ports, project, model);
  // it may have been rejected while it was tested, which takes seconds; who rejects it in the next few milliseconds is late
  const state = (await ports.documents.read('models', project, modelId(number)))?.document.state;
  if (state !== 'approved') return { outcome: `model-is-${state}` };
  const target = { model: number, digest: model.digest, deployment };
  const at = ports.clock.now().toISOString();
  const byPipeline = deployment.startsWith('d-');
  const by = byPipeline ? 'pipeline' : 'operator';
  const { canary } = settings.deploy;
  const reason = `model ${number} was approved`;
  const event: EndpointEvent =
    problem === null
      ? { kind: 'deploy', target, canary, keepNewer: byPipeline, seenRevision, by, reason, at }
      : { kind: 'fail', target, reason: problem, by, at };
  const after = await applyToEndpoint(ports, project, event, message);
  if (problem !== null) return { outcome: 'smoke-test-failed', reason: problem };
  if (after === undefined || after === 'changed') return { outcome: 'handled-before' };
  if (after.canary?.deployment === deployment) return { outcome: 'canary' };
  return { outcome: after.production?.deployment === deployment ? 'live' : 'not-needed' };
}
