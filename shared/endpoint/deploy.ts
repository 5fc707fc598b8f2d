/** `deployments` -> a model goes live after it was loaded and smoke-scored, or on trial as a canary first. */
import pMap from 'p-map';
import type * as z from 'zod';
import { applyToEndpoint } from './apply.ts';
import type { EndpointEvent } from './endpoint.ts';
import { storedName } from '../sample/content.ts';
import type { ModelDocument } from '../model/document.ts';
import { RetryLater } from '../errors.ts';
import { loadModel } from '../model/artifact.ts';
import type { modelApproved, queueMessages } from '../delivery/message.ts';
import { sendOutbox } from '../delivery/send-outbox.ts';
import type { Ports } from '../ports.ts';
import { modelId } from '../model/register.ts';
import { taskOf } from '../task/task.ts';
import { createSampleBudget, type Inference, withSample } from '../prediction/inference.ts';
import { checkCanary } from './check-canary.ts';

export interface DeployPorts extends Ports, Inference {}

/** Handles one wake-up of the deployment stage. */
export async function deploy(
  ports: DeployPorts,
  message: z.infer<(typeof queueMessages)['deployments']>,
): Promise<{ outcome: string; reason?: string }> {
  return message.type === 'darkroom.canary.check' ? checkCanary(ports, message) : deployModel(ports, message);
}

async function deployModel(
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

/** Loads the artifact by its digest and scores samples of which training kept the answers; null when all agree. */
async function smokeTest(ports: DeployPorts, project: string, model: ModelDocument): Promise<string | null> {
  const kind = taskOf(model);
  const samples = { blobs: ports.blobs, budget: ports.sampleBytes ?? createSampleBudget() };
  const images = await pMap(
    model.smoke,
    ({ md5 }) =>
      withSample(samples, { name: storedName(project, md5) }, (bytes) =>
        ports.toTensor(bytes, model.image).catch((error: unknown) => {
          // a sample that cannot be decoded says nothing about the model: it is tested on the others
          if (error instanceof RetryLater) throw error;
          return undefined;
        }),
      ),
    { concurrency: 4 },
  );
  const kept = model.smoke.flatMap((expected, i) => {
    const tensor = images[i];
    return tensor === undefined ? [] : [{ expected, tensor }];
  });
  const blank = new Float32Array(model.image.width * model.image.height * model.image.channels);
  const tensors = kept.length === 0 ? [blank] : kept.map((k) => k.tensor);
  // read before it is tried: a store that does not answer now says nothing about the model
  const bytes = await loadModel(ports.blobs, project, model.digest);
  try {
    const outputs = await ports.infer(model.digest, () => Promise.resolve(bytes), tensors, model.image);
    for (const [i, { expected }] of kept.entries()) {
      const departs = kind.departs(expected, { outputs: outputs[i] ?? {}, classes: model.classes });
      if (departs !== undefined) return `sample ${expected.md5} ${departs}`;
    }
    return null;
  } catch (error) {
    if (error instanceof RetryLater) throw error;
    return `the model cannot be served: ${error instanceof Error ? error.message.slice(0, 300) : 'unknown error'}`;
  }
}
