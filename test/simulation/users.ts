/** The people and apps of a plan, doing what it says and remembering what they were promised. */
import { storedName } from '../../shared/sample/content.ts';
import { type Client, createClient, text, valuesOf } from './client.ts';
import { Lost } from './faults.ts';
import { simulatedKinds } from './kinds.ts';
import type { Ledger } from './ledger.ts';
import { readPicture } from './pictures.ts';
import type { Action, Plan, Upload } from './plan.ts';
import type { World } from './world.ts';

interface Users {
  world: World;
  client: Client;
  ledger: Ledger;
}

/** Sets everybody to work; each action is done by somebody of its own. */
export function startUsers(world: World, plan: Plan, ledger: Ledger): void {
  const users: Users = { world, client: createClient(world), ledger };
  const { scheduler } = world;
  const process = { name: 'users', alive: true, skewMs: 0, onDeath: new Set<() => void>() };
  const begin = (atMs: number, handler: string, work: () => Promise<void>): void =>
    scheduler.after(atMs, () => {
      const done = scheduler.within({ process, handler, kind: 'client' }, work);
      void done.catch((error: unknown) =>
        world.problems.push(`the user who does "${handler}" failed: ${String(error)}`),
      );
    });
  for (const { name, settings, createdAtMs } of plan.projects)
    begin(createdAtMs, 'settings', () => putProject(users, name, settings));
  for (const { atMs, action } of plan.actions) begin(atMs, action.kind, () => act(users, action));
}

async function putProject({ client }: Users, p: string, settings: unknown): Promise<void> {
  for (let tries = 0; tries < 5; tries++) {
    const known = await client.ask('projects-get', { params: { project: p } });
    const etag = known?.headers['etag'];
    const headers = known?.status === 200 && etag !== undefined ? { headers: { 'if-match': etag } } : {};
    const answer = await client.ask('projects-put', { params: { project: p }, json: settings, ...headers });
    if (answer !== undefined && answer.status < 300) return;
  }
}

/** Somebody changes one setting to what it is, and another to nothing. */
async function patch({ client }: Users, p: string): Promise<void> {
  const known = await client.ask('projects-get', { params: { project: p } });
  const settings = known?.json['settings'] as { retrain?: { maxPerDay?: number } } | undefined;
  const json = { retrain: { maxPerDay: settings?.retrain?.maxPerDay ?? null }, deploy: {} };
  await client.ask('projects-patch', { params: { project: p }, json });
}

/** A key is made for a scanner, changed, rotated and taken away. */
async function keepKeys({ client }: Users, p: string): Promise<void> {
  const made = await client.ask('keys-post', { json: { name: 'scanner', role: 'labeler', project: p } });
  const key = text(made?.json['id']);
  if (key === '') return;
  await client.ask('keys-patch', { params: { key }, json: { name: 'scanner 2' } });
  await client.ask('keys-rotate', { params: { key }, json: { overlapSeconds: 60 } });
  await client.ask('keys-delete', { params: { key } });
}

async function act(users: Users, action: Action): Promise<void> {
  switch (action.kind) {
    case 'upload':
      return upload(users, action);
    case 'settings':
      return putProject(users, action.project, action.settings);
    case 'stray':
      users.ledger.strays++;
      return users.world.broker.enqueue(action.queue, action.body);
    case 'score':
      return score(users, action);
    case 'train':
      return train(users, action);
    case 'commit':
      await users.client.ask('commits-post', { params: { project: action.project } });
      return;
    case 'review':
      return review(users, action.project);
    case 'cancel':
      return cancel(users, action.project);
    case 'decide':
      return decide(users, action.project);
    case 'deploy':
      return deploy(users, action.project);
    case 'rollback':
      return rollback(users, action.project);
    case 'patch':
      return patch(users, action.project);
    case 'keys':
      return keepKeys(users, action.project);
    case 'replay':
      return replayQueues(users);
    case 'heal':
      return heal(users, action.project);
    case 'look':
      return look(users, action.project);
  }
}

async function upload({ world, client, ledger }: Users, upload: Upload): Promise<void> {
  const { name, body, metadata, overwrites } = upload;
  const [project = '', ...rest] = name.split('/');
  const plain = rest.length <= 2 && metadata === null && !overwrites;
  let url: string | undefined;
  if (plain) {
    const file = { name: rest.at(-1), contentType: 'image/png', ...(rest.length === 2 ? { label: rest[0] } : {}) };
    const asked = { params: { project }, json: { files: [file] }, role: 'labeler' as const };
    const answer = await client.ask('upload-urls-post', asked);
    url = answer?.status === 200 ? text(valuesOf(answer)[0]?.['url']) : undefined;
  }
  for (let tries = 1; tries <= 10; tries++) {
    try {
      const options = {
        contentType: 'image/png',
        metadata: metadata === null ? {} : { label: metadata },
        once: !overwrites,
      };
      const written =
        url === undefined
          ? await world.blobs.put('uploads', name, body, options)
          : await world.blobs.atUrl.create(url, body, 'image/png');
      // a name that is taken: by an earlier try of ours, or by another file, which the app is told
      if (written !== 'exists') ledger.uploads.push({ blob: name, etag: written.etag, upload });
      return;
    } catch (error) {
      if (!(error instanceof Lost)) throw error;
    }
    await world.scheduler.sleep(500);
  }
}

async function train(
  { client, ledger }: Users,
  { project, id, parameters }: Extract<Action, { kind: 'train' }>,
): Promise<void> {
  const answer = await client.ask('trainings-post', {
    params: { project },
    json: { trainer: { parameters }, reason: id },
    headers: { 'idempotency-key': id },
  });
  if (answer?.status !== 202) return;
  const { id: run, decision } = answer.json;
  ledger.trainings.push({ project, key: id, id: text(run), decision: text(decision) });
}

async function review({ world, client, ledger }: Users, p: string): Promise<void> {
  const unlabelled = valuesOf(
    await client.ask('samples-list', { params: { project: p }, query: { unlabelled: 'true' } }),
  );
  const all = valuesOf(await client.ask('samples-list', { params: { project: p } }));
  const some = all.filter(() => world.scheduler.random.next() < 0.2);
  for (const sample of [...unlabelled, ...some].slice(0, 10)) {
    const id = text(sample['id']);
    const annotation = annotationOf(world, p, id);
    const etag = (await client.ask('samples-get', { params: { project: p, sample: id } }))?.headers['etag'];
    const headers = etag === undefined ? {} : { 'if-match': etag };
    // either name of the same route
    const route = 'label' in annotation && annotation.label === 'dog' ? 'samples-label' : 'samples-annotation';
    const answer = await client.ask(route, {
      params: { project: p, sample: id },
      json: annotation,
      headers,
      role: 'labeler',
    });
    if (answer?.status === 200) ledger.reviews.push({ project: p, sample: id, annotation });
  }
}

/** Somebody annotates a sample, unless its upload said what it shows. */
export async function annotateWaiting(world: World, client: Client, p: string, sample: string): Promise<void> {
  const found = await client.ask('samples-get', { params: { project: p, sample } });
  if (found?.json['annotation'] !== null) return;
  const json = annotationOf(world, p, sample);
  await client.ask('samples-annotation', { params: { project: p, sample }, json, role: 'labeler' });
}

/** What a person who looks at a sample says of it, in the form of its project's kind. */
function annotationOf(world: World, p: string, sample: string): object {
  const task = world.documents.find('projects', 'projects', p)?.settings.task ?? '';
  const shown = readPicture(world.blobs.peek('datasets', storedName(p, sample))?.body ?? Buffer.alloc(0));
  const kind = simulatedKinds.get(task);
  return shown === undefined || kind === undefined ? {} : kind.review(shown, world.scheduler.random);
}

async function cancel({ client, ledger }: Users, p: string): Promise<void> {
  const runs = valuesOf(await client.ask('trainings-list', { params: { project: p }, query: { limit: '3' } }));
  const open = runs.find(({ state }) => ['queued', 'submitted', 'running', 'evaluating'].includes(text(state)));
  if (open === undefined) return;
  const id = text(open['id']);
  const answer = await client.ask('trainings-cancel', { params: { project: p, training: id } });
  if (answer?.status === 202) ledger.cancelled.push({ project: p, run: id });
}

async function decide({ world, client }: Users, p: string): Promise<void> {
  const models = valuesOf(await client.ask('models-list', { params: { project: p } }));
  const model = models.find(({ state }) => state === 'candidate') ?? models[0];
  if (model === undefined) return;
  const n = text(model['version']);
  const found = await client.ask('models-get', { params: { project: p, number: n } });
  const etag = found?.headers['etag'];
  if (etag === undefined) return;
  const route = world.scheduler.random.next() < 0.7 ? 'models-approve' : 'models-reject';
  await client.ask(route, { params: { project: p, number: n }, headers: { 'if-match': etag } });
}

async function deploy({ world, client, ledger }: Users, p: string): Promise<void> {
  const models = valuesOf(await client.ask('models-list', { params: { project: p } }));
  const approved = models.filter(({ state }) => state === 'approved');
  if (approved.length === 0) return;
  const model = Number(world.scheduler.random.pick(approved)['version']);
  const key = `deploy-${Math.floor(world.scheduler.now())}`;
  const answer = await client.ask('endpoint-deploy', {
    ...{ params: { project: p }, json: { model }, headers: { 'idempotency-key': key } },
  });
  if (answer?.status === 202) ledger.deployments.push({ project: p, deployment: text(answer.json['deployment']) });
}

/** Two operators who saw the same state: at most one may win. */
async function rollback({ world, client, ledger }: Users, p: string): Promise<void> {
  const seen = await client.ask('endpoint-get', { params: { project: p } });
  const etag = seen?.headers['etag'];
  if (etag === undefined) return;
  const key = `rollback-${Math.floor(world.scheduler.now())}`;
  const people = world.scheduler.random.next() < 0.3 ? 2 : 1;
  const answers = await Promise.all(
    Array.from({ length: people }, async (_, i) => {
      const headers = { 'if-match': etag, 'idempotency-key': `${key}-${i}` };
      return client.ask('endpoint-rollback', { params: { project: p }, json: { reason: 'simulated' }, headers });
    }),
  );
  const won = answers.flatMap((answer, i) => (answer?.status === 200 ? [`${key}-${i}`] : []));
  if (won.length > 1) world.problems.push(`I3: two rollbacks of project ${p} from the same state were both accepted`);
  for (const winner of won) ledger.rollbacks.push({ project: p, key: winner });
}

async function score(
  { world, client, ledger }: Users,
  { project: p, picture, times }: Extract<Action, { kind: 'score' }>,
) {
  for (let i = 0; i < times; i++) {
    const headers = { 'content-type': 'image/png' };
    const answer = await client.ask('score-post', { params: { project: p }, bytes: picture, headers, role: 'viewer' });
    if (answer?.status === 200) {
      const id = text(answer.json['predictionId']);
      ledger.predictions.push({ project: p, id });
      if (world.documents.find('predictions', `${p}:${id.slice(2, 3)}`, id) === undefined)
        world.problems.push(`I7: prediction ${id} was answered and is not kept`);
    }
    await world.scheduler.sleep(1000 * world.scheduler.random.next());
  }
}

/** An operator who does not wait for the timer; what is stored must be what its names say. */
async function heal({ world, client }: Users, p: string): Promise<void> {
  await client.ask('stuck-list', { params: { project: p } });
  await client.ask('sweep-post', { params: { project: p } });
  const scrubbed = await client.ask('scrub-post', { params: { project: p }, json: {} });
  for (const { what, blob } of (scrubbed?.json['found'] ?? []) as { what: string; blob: string }[])
    if (what !== 'orphaned') world.problems.push(`I2: the scrub found ${blob} ${what}`);
}

/** Reads what a console reads; a reader must never be answered with an error of ours. */
async function look({ client }: Users, p: string): Promise<void> {
  for (const route of [
    'projects-get',
    'versions-list',
    'trainings-list',
    'endpoint-get',
    'events-list',
    'uploads-list',
  ])
    await client.ask(route, { params: { project: p }, role: 'viewer' });
  const models = valuesOf(await client.ask('models-list', { params: { project: p }, role: 'viewer' }));
  const n = text(models[0]?.['version']);
  if (n !== '') await client.ask('models-lineage', { params: { project: p, number: n }, role: 'viewer' });
}

/** Sends all that waits in every queue again, and gives up what is refused. */
async function replayQueues({ client }: Users): Promise<void> {
  const waiting = valuesOf(await client.ask('dead-letters-list', { query: { limit: '1000' } }));
  for (const queue of new Set(waiting.map((letter) => text(letter['queue'])))) {
    const answer = await client.ask('dead-letters-replay', { params: { queue }, json: {} });
    for (const { id } of (answer?.json['refused'] ?? []) as { id: string }[])
      await client.ask('dead-letters-dismiss', { params: { queue }, json: { id, reason: 'nobody understands it' } });
  }
}
