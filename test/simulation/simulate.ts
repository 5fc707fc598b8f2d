/** One simulation: users and faults, then rest and repair, then every invariant. */
import { createHash } from 'node:crypto';
import { createRandom, type Random } from '../random.ts';
import { type Client, createClient } from './client.ts';
import { drawRates, type Faults, noFaults, type Outage, randomFaults, services } from './faults.ts';
import { checkSamples, checkUploads, checkVersions } from './invariants.ts';
import { drawPicture } from './pictures.ts';
import { drawPlan, type Plan } from './plan.ts';
import {
  census,
  checkDeployments,
  checkMessages,
  checkModels,
  checkPolicy,
  checkNoneLost,
  checkTrainings,
  poison,
} from './promises.ts';
import type { TraceLine } from './scheduler.ts';
import { emptyLedger, type Ledger } from './ledger.ts';
import { replayAll } from './replay.ts';
import { annotateWaiting, startUsers } from './users.ts';
import { createWorld, tree, type World } from './world.ts';

export interface Report {
  seed: number;
  operations: number;
  /** virtual seconds */
  seconds: number;
  violations: string[];
  faults: Faults;
  trace: TraceLine[];
}

/** An upload, its share of everything that follows, and every repetition take fewer operations than this. */
const operationsPerAction = 1500;
const maxRounds = 8;
const sweepEveryMs = 15 * 60_000;
const hourMs = 60 * 60_000;
/** the longest wait of a message that was put off, late events, and its handling */
const recoveredMs = 6.5 * 60_000;
/** a commit, a training and a deployment in a healthy system, without any sweep */
const healthyMs = 10 * 60_000;

/** Simulates a seed with random faults. */
export function simulateSeed(
  seed: number,
  { uploads, keepTrace = false }: { uploads?: number | undefined; keepTrace?: boolean } = {},
): Promise<Report> {
  const rates = drawRates(createRandom(seed ^ 0x5eed_0002));
  return simulate(seed, drawPlan(seed, uploads), (random) => randomFaults(random, rates), keepTrace);
}

/**
 * Simulates a seed in which a service is away for an hour, in three of ten a second one as well, and nobody repairs
 * anything: no dead letter is sent again by a person.
 */
export function simulateOutage(
  seed: number,
  { uploads, keepTrace = false }: { uploads?: number | undefined; keepTrace?: boolean } = {},
): Promise<Report> {
  const random = createRandom(seed ^ 0x5eed_0003);
  const drawn = drawPlan(seed, uploads);
  const one = (): Outage => {
    const fromMs = random.between(0, 12 * 60_000);
    return { service: random.pick(services), fromMs, toMs: fromMs + hourMs };
  };
  const outages = random.next() < 0.3 ? [one(), one()] : [one()];
  const endsMs = Math.max(...outages.map(({ toMs }) => toMs));
  // a person who replays would be one who repairs
  const actions = drawn.actions.filter(({ action }) => action.kind !== 'replay' && action.kind !== 'heal');
  const plan = { ...drawn, actions, faultsUntilMs: endsMs };
  const rates = { ...noFaults, duplicate: 0.1, delayed: 0.1, oddJob: random.next() < 0.5 ? 0 : 0.3 };
  return simulate(seed, plan, (dice) => randomFaults(dice, rates, outages), keepTrace, 'nobody');
}

/** Simulates a plan with the faults given. With `nobody` to repair, only the timer's sweeps heal what is left. */
export async function simulate(
  seed: number,
  plan: Plan,
  faults: (random: Random) => Faults,
  keepTrace: boolean,
  repairer: 'operator' | 'nobody' = 'operator',
): Promise<Report> {
  const world = createWorld(seed, { faults, startsAt: plan.startsAt, keepTrace });
  const ledger = emptyLedger();
  const { scheduler, problems } = world;
  const limit = 10_000 + plan.actions.length * operationsPerAction;
  const say = (problem: string): void => void problems.push(problem);
  const finish = (): Report => ({
    ...{
      seed,
      operations: scheduler.operations(),
      seconds: scheduler.now() / 1000,
      violations: [...new Set(problems)],
    },
    ...{ faults: world.faults, trace: scheduler.trace.lines },
  });
  startUsers(world, plan, ledger);
  sweepRegularly(world);
  await scheduler.run({ until: plan.faultsUntilMs, limit });
  world.faults.stop();
  if (repairer === 'nobody') {
    await scheduler.run({ until: plan.faultsUntilMs + recoveredMs, limit });
    checkUploads(world, ledger, say);
  }
  if (!(await rest(world, limit, say, repairer))) return finish();
  await check(world, plan, ledger, say);
  if (repairer === 'nobody') checkNoneLost(world, say);
  if (problems.length > 0) return finish();
  await replayEverything(world, limit, say);
  await probe(world, plan, limit, say);
  await dismissPoison(world, limit, say);
  return finish();
}

function sweepRegularly(world: World): void {
  const again = (): void => {
    world.sweep();
    world.scheduler.after(sweepEveryMs, again, { background: true });
  };
  world.scheduler.after(sweepEveryMs, again, { background: true });
}

/** Work of somebody who repairs, outside of the plan. */
function asOperator<T>(world: World, work: (client: Client) => Promise<T>): void {
  const process = { name: 'operator', alive: true, skewMs: 0, onDeath: new Set<() => void>() };
  void world.scheduler
    .within({ process, handler: 'operator', kind: 'client' }, () => work(createClient(world)))
    .catch((error: unknown) => world.problems.push(`the operator failed: ${String(error)}`));
}

/** Lets everything come to rest, sweeping and sending dead letters again while that changes something. */
async function rest(
  world: World,
  limit: number,
  say: (problem: string) => void,
  repairer: 'operator' | 'nobody',
): Promise<boolean> {
  const { scheduler, broker, documents } = world;
  const toIdle = async (): Promise<boolean> => (await scheduler.run({ limit })) === 'idle';
  const replay = async (): Promise<number> => {
    let replayed = 0;
    if (repairer === 'operator') asOperator(world, async (client) => (replayed = await replayAll({ client }, poison)));
    for (const { pk, canary } of documents.all('endpoints')) if (canary !== null) requestsFor(world, pk);
    if (!(await toIdle())) say('I7: the system never comes to rest after a replay');
    return replayed;
  };
  if (!(await toIdle())) return (say('I7: the system never comes to rest'), false);
  await replay();
  if (repairer === 'operator')
    for (const { pk, id } of documents.all('staged')) say(`I1: sample ${id} of ${pk} waits for a sweep`);
  for (let round = 0; round < maxRounds; round++) {
    if (!(await toIdle())) return (say('I7: the system never comes to rest'), false);
    const before = broker.sent();
    const etags = census(world);
    scheduler.after(sweepEveryMs, () => world.sweep());
    if (!(await toIdle())) return (say('I7: the system never comes to rest after a sweep'), false);
    const replayed = await replay();
    if (broker.sent() === before && replayed === 0 && etags === census(world)) return true;
  }
  say(`I7: sweeps and replays go on changing the system after ${maxRounds} rounds`);
  return false;
}

/** A canary is decided by requests. */
function requestsFor(world: World, project: string): void {
  const picture = drawPicture({ number: 1, truth: 'cat', width: 16, height: 16, channels: 1 });
  asOperator(world, async (client) => {
    for (let i = 0; i < 20; i++)
      await client.ask('score-post', {
        params: { project },
        bytes: picture,
        headers: { 'content-type': 'image/png' },
      });
  });
}

async function check(world: World, plan: Plan, ledger: Ledger, say: (problem: string) => void): Promise<void> {
  checkUploads(world, ledger, say);
  for (const { name } of plan.projects) {
    await checkSamples(world, name, say);
    await checkVersions(world, name, tree, say);
    checkTrainings(world, name, ledger, say);
    checkPolicy(world, name, say);
    checkModels(world, name, say);
    checkDeployments(world, name, ledger, say);
  }
  checkMessages(world, say);
}

/** I7: sending all dead letters again, twice, changes nothing. */
async function replayEverything(world: World, limit: number, say: (problem: string) => void): Promise<void> {
  const letters = world.documents.all('dead-letters');
  if (letters.length === 0) return;
  const before = census(world);
  for (let i = 0; i < 2; i++) {
    asOperator(world, async (client) => {
      for (const { id, queue } of letters) await client.ask('dead-letters-replay', { params: { queue }, json: { id } });
    });
    await world.scheduler.run({ limit });
  }
  if (census(world) !== before) say('I7: sending dead letters again changed something');
}

/** I7: what nobody can handle can be given up, and then nothing is stuck any more. */
async function dismissPoison(world: World, limit: number, say: (problem: string) => void): Promise<void> {
  const waiting = () => world.documents.all('dead-letters').filter(({ status }) => status === 'waiting');
  asOperator(world, async (client) => {
    for (const { id, queue } of waiting())
      await client.ask('dead-letters-dismiss', { params: { queue }, json: { id, reason: 'nobody understands it' } });
  });
  await world.scheduler.run({ limit });
  for (const { id, queue } of waiting()) say(`I7: dead letter ${id} of ${queue} cannot be given up`);
}

/** After all that, the system must be healthy: a new upload becomes part of a version without the help of a sweep. */
async function probe(world: World, plan: Plan, limit: number, say: (problem: string) => void): Promise<void> {
  const { documents, scheduler } = world;
  const heads = new Map(
    plan.projects.map(({ name }) => [name, documents.find('heads', name, 'head')?.head?.samples ?? 0]),
  );
  asOperator(world, async (client) => {
    const uploaded = plan.projects.map(({ name, settings, truth = settings.classes?.[0] ?? 'cat' }) => {
      const body = drawPicture({ number: 1_000_000, truth, width: 16, height: 16, channels: 1 });
      return { name, blob: `${name}/${truth}/probe.png`, body };
    });
    for (const { blob, body } of uploaded)
      await world.blobs.put('uploads', blob, body, { contentType: 'image/png', once: true });
    await scheduler.sleep(healthyMs / 2);
    // where no upload says what it shows, a person does
    for (const { name, body } of uploaded)
      await annotateWaiting(world, client, name, createHash('md5').update(body).digest('hex'));
  });
  await scheduler.run({ until: scheduler.now() + healthyMs, limit });
  for (const { name } of plan.projects) {
    const samples = documents.find('heads', name, 'head')?.head?.samples ?? 0;
    if (samples !== (heads.get(name) ?? 0) + 1) say(`I1: afterwards a new upload to ${name} waits for a sweep`);
  }
}
