/** I4 to I7 of a platform at rest: trainings, models, endpoints, messages. */
import { createHash } from 'node:crypto';
import type { RunDocument } from '../../shared/training/document.ts';
import { digestOf } from '../../shared/digest.ts';
import { outboxOf } from '../../shared/delivery/send-outbox.ts';
import { queueNames } from '../../shared/resources.ts';
import { isOpen } from '../../shared/training/run.ts';
import type { Ledger } from './ledger.ts';
import { whyIdle } from '../../shared/training/why-idle.ts';
import type { World } from './world.ts';

type Say = (problem: string) => void;

/** Reasons by which a message is poison; everything else must succeed when it is sent again. */
export const poison: ReadonlySet<string> = new Set([
  'invalid-message',
  'bad-report-name',
  'bad-report',
  'unexpected-subject',
]);

/** An idempotency key as the backend knows it: those of two operators are two. */
function ofOperator(documents: World['documents'], key: string): string {
  const operator = documents.all('keys').find(({ role }) => role === 'operator');
  return digestOf(40, operator?.id ?? '', key);
}

/** I4 and I5: what was asked for was done once, and everything has ended. */
export function checkTrainings(world: World, project: string, ledger: Ledger, say: Say): void {
  const { documents, cluster, faults } = world;
  const runs = new Map(
    documents
      .all('runs')
      .filter(({ pk }) => pk === project)
      .map((one) => [one.id, one]),
  );
  const scheduler = documents.find('schedulers', project, 'scheduler');
  for (const run of runs.values()) if (isOpen(run.state)) say(`I5: run ${run.id} is still ${run.state}`);
  if (scheduler?.active) say(`I4: run ${scheduler.active.run} stays active in the scheduler`);
  if (scheduler?.waiting) say(`I4: run ${scheduler.waiting.run} waits for ever`);
  const executions = [...cluster.executions.values()];
  for (const { name, state } of executions)
    if (state === 'running' || state === 'pending') say(`I4: execution ${name} is still ${state}`);
  for (const { id, attempt } of runs.values()) {
    const begun = executions.filter(({ environment }) => environment['DARKROOM_RUN'] === id);
    // a start call that takes longer than it may is repeated, and the one that came too late is stopped
    const kept = faults.drawn.slow === 0 ? begun : begun.filter(({ name }) => !cluster.stopped.has(name));
    if (kept.length > attempt) say(`I4: run ${id} had ${kept.length} executions in ${attempt} attempts`);
  }
  for (const { id, decision, key } of ledger.trainings.filter((one) => one.project === project)) {
    if (!runs.has(id)) say(`I4: training ${id} (${key}, ${decision}) was promised and is no run`);
    const asked = `t${digestOf(23, project, 'requested', ofOperator(documents, key))}`;
    if (decision !== 'coalesced' && id !== asked) say(`I4: request ${key} was answered with run ${id}`);
  }
  for (const { run } of ledger.cancelled.filter((one) => one.project === project)) {
    const state = runs.get(run)?.state;
    if (state !== 'cancelled') say(`I5: the cancellation of run ${run} was accepted, it is ${state}`);
  }
  // nothing trains at rest: the project says why
  const settings = documents.find('projects', 'projects', project)?.settings;
  const head = documents.find('heads', project, 'head')?.head ?? null;
  if (settings !== undefined && whyIdle(settings, head, scheduler, world.now()) === null)
    say(`I7: nothing trains in ${project}, and nothing says why`);
  const bound = [...runs.values()].map(({ boundTo }) => boundTo).filter((name) => name !== null);
  if (new Set(bound).size !== bound.length) say(`I4: two runs of ${project} are bound to one execution`);
}

/** An outage fails no training: where every job does what it should, each comes to a verdict. */
export function checkNoneLost({ documents, faults }: World, say: Say): void {
  if (faults.drawn.oddJob > 0) return;
  for (const { id, state, failure, attempt } of documents.all('runs'))
    if (state === 'failed') say(`I4: run ${id} failed in attempt ${attempt}: ${failure?.code}, ${failure?.detail}`);
}

/** Policy trains each version at most once per configuration. */
export function checkPolicy({ documents }: World, project: string, say: Say): void {
  const asked = new Map<string, RunDocument>();
  for (const run of documents.all('runs').filter(({ pk, requestedBy }) => pk === project && requestedBy === 'policy')) {
    const { version, trainer, classes } = run;
    const what = JSON.stringify([version.id, trainer, classes]);
    const other = asked.get(what);
    if (other !== undefined)
      say(`I4: the policy asked for runs ${other.id} and ${run.id} on version ${version.number}`);
    asked.set(what, run);
  }
}

/** I4: models are numbered one by one and belong to runs that made them; I6: the pointer is right and loadable. */
export function checkModels({ documents, blobs }: World, project: string, say: Say): void {
  const models = documents
    .all('models')
    .filter(({ pk }) => pk === project)
    .sort((a, b) => a.number - b.number);
  if (models.some(({ number }, i) => number !== i + 1)) say(`I4: models of ${project} are numbered with gaps`);
  const digests = new Set(models.map(({ digest }) => digest));
  if (digests.size !== models.length) say(`I4: a model of ${project} is registered twice`);
  for (const run of documents.all('runs').filter(({ pk }) => pk === project)) {
    const made = run.state === 'registered' || run.state === 'rejected';
    if (made && models[(run.model ?? 0) - 1] === undefined) say(`I4: run ${run.id} is ${run.state} without a model`);
  }
  const endpoint = documents.find('endpoints', project, 'endpoint');
  for (const target of [endpoint?.production, endpoint?.previous, endpoint?.canary]) {
    if (!target) continue;
    const model = models[target.model - 1];
    const body = blobs.peek('models', `${project}/${target.digest}.onnx`)?.body;
    const actual = body === undefined ? 'missing' : createHash('sha256').update(body).digest('hex');
    if (model?.digest !== target.digest || actual !== target.digest)
      say(`I6: the endpoint of ${project} points to model ${target.model}, which is ${actual}`);
  }
  for (const record of endpoint?.history ?? [])
    if (record.state === 'failed') say(`I6: deployment ${record.deployment} failed: ${record.reason}`);
}

/** I6: what was accepted for deployment or as a rollback was done, and approved models were deployed. */
export function checkDeployments({ documents }: World, project: string, ledger: Ledger, say: Say): void {
  const endpoint = documents.find('endpoints', project, 'endpoint');
  const handled = new Set(endpoint?.handled);
  const promised = [
    ...ledger.deployments.filter((one) => one.project === project).map(({ deployment }) => deployment),
    ...ledger.rollbacks
      .filter((one) => one.project === project)
      .map(({ key }) => `b-${digestOf(24, project, 'rollback', ofOperator(documents, key))}`),
  ];
  const rejected = new Set(
    documents
      .all('models')
      .filter(({ pk, state }) => pk === project && state === 'rejected')
      .map(({ number }) => number),
  );
  for (const deployment of promised)
    if (!handled.has(deployment) && rejected.size === 0) say(`I6: deployment ${deployment} was promised and not done`);
  const automatic = documents.find('projects', 'projects', project)?.settings.deploy.mode === 'automatic';
  if (!automatic) return;
  for (const run of documents.all('runs').filter(({ pk, state }) => pk === project && state === 'registered')) {
    const model = documents.all('models').find(({ pk, number }) => pk === project && number === run.model);
    // bytes that were behind the endpoint before are not put there again by themselves
    const wasDeployed = model?.run !== run.id && endpoint?.history.some((one) => one.model === run.model) === true;
    if (model?.state === 'approved' && model.decidedBy === 'gate' && !handled.has(`d-${run.id}`) && !wasDeployed)
      say(`I6: model ${run.model} was approved and run ${run.id} never asked for its deployment`);
  }
}

/** I7: nothing is left unsaid, nothing is stuck but poison. */
export function checkMessages({ documents, broker }: World, say: Say): void {
  // what a window has to say matters while something is staged, and nothing is at rest
  const outboxes = ['projects', 'heads', 'schedulers', 'runs', 'models', 'endpoints'] as const;
  for (const container of outboxes)
    for (const document of documents.all(container))
      if (outboxOf(document).length > 0)
        say(`I7: ${container}/${document.pk}/${document.id} still has something to say`);
  for (const letter of documents.all('dead-letters'))
    if (letter.status === 'waiting' && !poison.has(letter.reason))
      say(`I7: a message of ${letter.queue} is stuck: ${letter.reason}, ${letter.detail.slice(0, 200)}`);
  for (const queue of queueNames)
    for (const path of [queue, `${queue}/$deadletterqueue`] as const)
      if (broker.depth(path) > 0) say(`I7: ${broker.depth(path)} messages are left in ${path}`);
  const events = new Set(documents.all('events').map(({ type, subject, pk }) => `${pk} ${type} ${subject}`));
  for (const { id, pk, state, failure } of documents.all('runs'))
    if (failure?.code !== 'coalesced' && !events.has(`${pk} training.${state} trainings/${id}`))
      say(`I7: no event tells that run ${id} of ${pk} is ${state}`);
  for (const { pk, history } of documents.all('endpoints'))
    for (const { model, state } of history)
      if (!events.has(`${pk} deployment.${state} models/${model}`))
        say(`I7: no event tells that model ${model} of ${pk} is ${state}`);
  for (const { pk, number } of documents.all('versions'))
    if (!events.has(`${pk} version.committed versions/${number}`))
      say(`I7: no event tells of version ${number} of ${pk}`);
}

/** What replaying messages must not change. */
export function census({ documents }: World): string {
  const sorted = (lines: string[]): string[] => lines.sort();
  return JSON.stringify({
    uploads: sorted(documents.all('uploads').map(({ id, status }) => `${id} ${status}`)),
    samples: sorted(
      documents.all('samples').map(({ id, annotation, key }) => `${id} ${JSON.stringify(annotation)} ${key}`),
    ),
    heads: sorted(documents.all('heads').map(({ pk, head }) => `${pk} ${head?.version}`)),
    runs: sorted(documents.all('runs').map(({ id, state, model }) => `${id} ${state} ${model}`)),
    models: sorted(documents.all('models').map(({ pk, id, state }) => `${pk} ${id} ${state}`)),
    endpoints: sorted(documents.all('endpoints').map(({ pk, production }) => `${pk} ${production?.deployment}`)),
  });
}
