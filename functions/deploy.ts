/** `deployments` -> a model goes live after it was loaded and smoke-scored, or on trial as a canary first. */
import type * as z from 'zod';
import { type Endpoint, type EndpointEvent, newEndpoint, transition } from '../shared/deployment/endpoint.ts';
import { storedName } from '../shared/dataset/store.ts';
import type { EndpointDocument, ModelDocument, Outgoing } from '../shared/documents.ts';
import { loadModel } from '../shared/registry/artifact.ts';
import { type Cause, type canaryCheck, compose, type modelApproved, type queueMessages } from '../shared/message.ts';
import { digestOf } from '../shared/names.ts';
import { outboxOf, sendOutbox, update } from '../shared/outbox.ts';
import { inBatches } from '../shared/parallel.ts';
import type { Ports } from '../shared/ports.ts';
import { modelId } from '../shared/registry/register.ts';
import type { Inference } from '../shared/serving/inference.ts';

export interface DeployPorts extends Ports, Inference {}
type CanaryCheck = z.infer<typeof canaryCheck>;

/** Training and serving run the same graph on the same pixels; other machines differ in the last digits. */
const smokeTolerance = 1e-3;
const canaryCheckSeconds = 15;
const predictionShards = [...Array(16).keys()].map((n) => n.toString(16));

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
  const { project, model: number, deployment } = message.data;
  const endpoint = await ports.documents.read('endpoints', project, 'endpoint');
  if (endpoint?.document.handled.includes(deployment)) {
    await sendOutbox(ports, 'endpoints', endpoint);
    return { outcome: 'handled-before' };
  }
  const model = (await ports.documents.read('models', project, modelId(number)))?.document;
  const settings = (await ports.documents.read('projects', 'projects', project))?.document.settings;
  if (model === undefined || settings === undefined) return { outcome: 'unknown-model' };
  if (model.state !== 'approved') return { outcome: `model-is-${model.state}` };
  const target = { model: number, digest: model.digest, deployment };
  const at = ports.clock.now().toISOString();
  const problem = await smokeTest(ports, project, model);
  const by = deployment.startsWith('d-') ? 'pipeline' : 'operator';
  const event: EndpointEvent =
    problem === null
      ? { kind: 'deploy', target, canary: settings.deploy.canary, by, reason: `model ${number} was approved`, at }
      : { kind: 'fail', target, reason: problem, by, at };
  const after = await applyToEndpoint(ports, project, event, message);
  const trial = after !== undefined && after !== 'changed' && after.canary?.deployment === deployment;
  return problem === null ? { outcome: trial ? 'canary' : 'live' } : { outcome: 'smoke-test-failed', reason: problem };
}

/**
 * Applies one event to an endpoint with what follows from it; undefined when it does not apply. With `etag` only
 * that very state is changed, else 'changed'.
 */
export async function applyToEndpoint(
  ports: Pick<Ports, 'documents' | 'messages'>,
  project: string,
  event: EndpointEvent,
  cause: Cause,
  etag?: string,
): Promise<EndpointDocument | 'changed' | undefined> {
  const change = (current: EndpointDocument | undefined): EndpointDocument | 'keep' => {
    const before: EndpointDocument = current ?? { id: 'endpoint', pk: project, ...newEndpoint };
    const next = transition(before, event);
    if ('rejected' in next) return 'keep';
    return { ...before, ...next, outbox: [...outboxOf(before), ...followUps(project, before, next, cause)] };
  };
  if (etag === undefined) {
    const { stored, changed } = await update(ports.documents, 'endpoints', project, 'endpoint', change);
    if (stored !== undefined) await sendOutbox(ports, 'endpoints', stored);
    return changed ? stored?.document : undefined;
  }
  const current = await ports.documents.read('endpoints', project, 'endpoint');
  const next = change(current?.document);
  if (next === 'keep') return undefined;
  const saved = current?.etag === etag ? await ports.documents.replace('endpoints', next, etag) : 'changed';
  if (saved === 'changed') return 'changed';
  await sendOutbox(ports, 'endpoints', saved);
  return saved.document;
}

function followUps(project: string, before: Endpoint, after: Endpoint, cause: Cause): Outgoing[] {
  const outgoing: Outgoing[] = [];
  const latest = after.history[0];
  if (latest !== undefined && latest !== before.history[0]) {
    const id = `e${digestOf(31, project, 'deployment', latest.deployment, latest.state, String(after.revision))}`;
    const text = `Model ${latest.model} is ${latest.state}: ${latest.reason}.`;
    const event = {
      id,
      pk: project,
      type: `deployment.${latest.state}`,
      subject: `models/${latest.model}`,
      text,
      at: latest.at,
      cause: cause.id,
      by: latest.by,
    };
    outgoing.push({ to: 'feed', event });
  }
  if (after.canary !== null && after.canary.deployment !== before.canary?.deployment) {
    outgoing.push(nextCheck(project, after.canary.deployment, after.canary.startedAt, cause));
  }
  return outgoing;
}

function nextCheck(
  project: string,
  deployment: string,
  from: string,
  cause: Cause,
): Extract<Outgoing, { to: 'queue' }> {
  const message = compose<CanaryCheck>(
    'darkroom.canary.check',
    `${project}/${deployment}`,
    { project, deployment },
    cause,
    'next',
  );
  const notBefore = new Date(Date.parse(from) + canaryCheckSeconds * 1000).toISOString();
  return { to: 'queue', queue: 'deployments', message, notBefore };
}

/** Loads the artifact by its digest and scores samples of which training kept the answers; null when all agree. */
async function smokeTest(ports: DeployPorts, project: string, model: ModelDocument): Promise<string | null> {
  const images = await inBatches(model.smoke, 4, async ({ md5 }) => {
    const found = await ports.blobs.get('datasets', storedName(project, md5), { maxBytes: 256 * 1024 * 1024 });
    return found === undefined || found === 'too-large' ? undefined : ports.toTensor(found.body, model.image);
  });
  const kept = model.smoke.flatMap((expected, i) => {
    const tensor = images[i];
    return tensor === undefined ? [] : [{ expected, tensor }];
  });
  const blank = new Float32Array(model.image.width * model.image.height * model.image.channels);
  const tensors = kept.length === 0 ? [blank] : kept.map((k) => k.tensor);
  const spec = { ...model.image, classes: model.classes.length };
  let probabilities: number[][];
  try {
    ({ probabilities } = await ports.infer(
      model.digest,
      () => loadModel(ports.blobs, project, model.digest),
      tensors,
      spec,
    ));
  } catch (error) {
    return `the model cannot be served: ${error instanceof Error ? error.message.slice(0, 300) : 'unknown error'}`;
  }
  for (const [i, { expected }] of kept.entries()) {
    const worst = Math.max(...expected.probabilities.map((p, c) => Math.abs(p - (probabilities[i]?.[c] ?? 2))));
    if (worst > smokeTolerance) return `sample ${expected.md5} scores ${worst.toFixed(4)} off what training kept`;
  }
  return null;
}

/** Ends a canary when its numbers say so: too many errors return it, enough good requests or time promote it. */
async function checkCanary(ports: DeployPorts, message: CanaryCheck): Promise<{ outcome: string }> {
  const { project, deployment } = message.data;
  const canary = (await ports.documents.read('endpoints', project, 'endpoint'))?.document.canary;
  if (!canary || canary.deployment !== deployment) return { outcome: 'over' };
  const now = ports.clock.now();
  const { requests, errors } = await canaryNumbers(ports, project, deployment);
  const at = now.toISOString();
  const rate = requests === 0 ? 0 : errors / requests;
  const numbers = `${errors} errors in ${requests} requests`;
  if (requests >= Math.min(canary.minRequests, 20) && rate > canary.maxErrorRate) {
    await applyToEndpoint(ports, project, { kind: 'return', deployment, reason: numbers, at }, message);
    return { outcome: 'returned' };
  }
  if (at >= canary.endsAt && requests >= canary.minRequests) {
    await applyToEndpoint(ports, project, { kind: 'promote', deployment, reason: numbers, at }, message);
    return { outcome: 'promoted' };
  }
  const next = nextCheck(project, deployment, at, message);
  await ports.messages.send('deployments', [next.message], new Date(next.notBefore ?? at));
  return { outcome: 'watching' };
}

async function canaryNumbers(
  ports: Ports,
  project: string,
  deployment: string,
): Promise<{ requests: number; errors: number }> {
  const counts = await inBatches(predictionShards, 4, async (shard) => {
    const pk = `${project}:${shard}`;
    const requests = await ports.documents.count('predictions', { pk, equals: { deployment } });
    const good = await ports.documents.count('predictions', { pk, equals: { deployment, error: null } });
    return { requests, errors: requests - good };
  });
  return counts.reduce((a, b) => ({ requests: a.requests + b.requests, errors: a.errors + b.errors }), {
    requests: 0,
    errors: 0,
  });
}
