/** What a seed's users do, and when: drawn once, before anything happens. */
import type { ProjectSettingsInput } from '../../shared/project/settings.ts';
import { createRandom, type Random } from '../random.ts';
import { drawPicture, drawTrash } from './pictures.ts';

export interface Upload {
  kind: 'upload';
  /** first part of the name; may be no project */
  project: string;
  name: string;
  body: Buffer;
  /** label in the blob's metadata */
  metadata: string | null;
  /** last writer wins, as clients with the account's key write */
  overwrites: boolean;
}

export type Action =
  | Upload
  | { kind: 'train'; project: string; id: string; parameters: Record<string, number> }
  | { kind: 'settings'; project: string; settings: ProjectSettingsInput }
  | { kind: 'stray'; body: unknown; queue: 'blob-created' | 'trainings' | 'training-events' | 'deployments' }
  | { kind: 'score'; project: string; picture: Buffer; times: number }
  | {
      kind:
        | 'review'
        | 'cancel'
        | 'decide'
        | 'deploy'
        | 'rollback'
        | 'commit'
        | 'replay'
        | 'heal'
        | 'look'
        | 'patch'
        | 'keys';
      project: string;
    };

export interface Plan {
  startsAt: string;
  projects: {
    name: string;
    settings: ProjectSettingsInput;
    createdAtMs: number;
    /** what a picture of it may show; left out: its first class, or a cat */
    truth?: string;
  }[];
  actions: { atMs: number; action: Action }[];
  /** faults stop here */
  faultsUntilMs: number;
}

const classes = ['cat', 'dog', 'owl'];
const minute = 60_000;

/** Uploads of a seed: ten, a hundred or a thousand in 95, 4.9 and 0.1 % of seeds. */
export function sizeOf(random: Random): number {
  const dice = random.next();
  return dice < 0.001 ? 1000 : dice < 0.05 ? 100 : 10;
}

/** Settings that are legal and odd. */
function drawSettings(random: Random, uploads: number): ProjectSettingsInput {
  const chance = (share: number): boolean => random.next() < share;
  return {
    classes: chance(0.5) ? classes.slice(0, 2) : [],
    ...(chance(0.7) ? { image: { width: 16, height: 16, channels: 1 } } : {}),
    trainer: { name: 'simulated', timeoutSeconds: chance(0.8) ? 600 : 60 },
    gate: {
      minimum: random.pick([0, 0.5, 0.8]),
      minimumRecall: 0,
      maxRegression: random.pick([0, 0.2]),
      baseline: 'noted',
      approval: chance(0.8) ? 'automatic' : 'manual',
    },
    retrain: {
      onVersion: chance(0.9),
      minNewSamples: random.between(1, Math.max(1, Math.floor(uploads / 3))),
      cooldownSeconds: chance(0.7) ? 0 : random.between(10, 600),
      maxPerDay: chance(0.8) ? 24 : random.between(1, 3),
    },
    deploy: {
      mode: chance(0.85) ? 'automatic' : 'manual',
      canary: chance(0.3)
        ? { percent: 50, minRequests: random.between(1, 5), maxErrorRate: 0.3, durationSeconds: random.between(5, 90) }
        : null,
    },
    commit: {
      maxWaitSeconds: random.between(2, 60),
      quietSeconds: random.between(1, 5),
      maxItems: chance(0.7) ? 10_000 : random.between(2, 12),
    },
    split: { validationPercent: random.between(10, 30), testPercent: random.between(10, 45) },
  };
}

/** Pictures of which some are equal, some lie about what they show, and some are none. */
function drawUpload(random: Random, project: string, number: number, pictures: number): Upload {
  const chance = (share: number): boolean => random.next() < share;
  const shown = random.between(1, pictures);
  const truth = classes[shown % 2] ?? 'cat';
  const said = chance(0.9) ? truth : random.pick(classes);
  const size = (shown % 3) * 8 + 16;
  const body = chance(0.05)
    ? drawTrash(shown)
    : drawPicture(
        { number: shown, truth, width: size, height: size, channels: shown % 5 === 0 ? 3 : 1 },
        chance(0.2) ? random.between(1, 2) : 0,
      );
  const owner = chance(0.03) ? 'nobodys' : project;
  const file = chance(0.1) ? `shared-${random.between(1, 3)}.png` : `${number}.png`;
  const inPath = chance(0.75);
  const name = chance(0.02) ? `${owner}/a/b/c/${file}` : inPath ? `${owner}/${said}/${file}` : `${owner}/${file}`;
  const metadata = !inPath && chance(0.5) ? said : null;
  return { kind: 'upload', project, name, body, metadata, overwrites: chance(0.15) };
}

const strays: Extract<Action, { kind: 'stray' }>[] = [
  { kind: 'stray', queue: 'blob-created', body: { hello: 'world' } },
  { kind: 'stray', queue: 'trainings', body: 'not even an object' },
  {
    kind: 'stray',
    queue: 'training-events',
    body: {
      ...{ specversion: '1.0', id: 'stray', source: '/stray', type: 'Microsoft.Storage.BlobCreated' },
      subject: '/blobServices/default/containers/job-reports/blobs/what/is/this',
      data: { url: 'https://blobs.invalid/x', eTag: '0x0' },
    },
  },
  { kind: 'stray', queue: 'deployments', body: { type: 'darkroom.unheard.of' } },
];

/** Everything that the users of a seed do. */
export function drawPlan(seed: number, uploads: number | undefined): Plan {
  const random = createRandom(seed ^ 0x5eed_0001);
  const drawn = sizeOf(random);
  const count = uploads ?? drawn;
  const chance = (share: number): boolean => random.next() < share;
  const names = chance(0.15) ? ['alpha', 'beta'] : ['alpha'];
  const settings = new Map(names.map((name) => [name, drawSettings(random, count)]));
  const projects = names.map((name) => ({
    name,
    settings: settings.get(name) ?? {},
    createdAtMs: chance(0.1) ? random.between(500, 20_000) : 0,
  }));
  const length = 15 * minute;
  const bursts = [0, random.between(1, 4) * minute, random.between(3, 9) * minute];
  const actions: Plan['actions'] = [];
  for (let i = 0; i < count; i++) {
    const atMs = random.pick(bursts) + random.between(100, chance(0.5) ? 3000 : 60_000);
    actions.push({ atMs, action: drawUpload(random, random.pick(names), i, Math.max(3, Math.round(count * 0.8))) });
  }
  const sometimes = (share: number, most: number, make: (project: string, i: number) => Action): void => {
    if (!chance(share)) return;
    const times = random.between(1, most);
    const storm = chance(0.2) ? random.between(1, 10) * minute : undefined;
    for (let i = 0; i < times; i++) {
      const atMs = storm === undefined ? random.between(20_000, length) : storm + random.between(0, 2000);
      actions.push({ atMs, action: make(random.pick(names), i) });
    }
  };
  sometimes(0.6, 6, (project, i) => ({
    ...{ kind: 'train', project, id: `request-${i}` },
    parameters: chance(0.3) ? {} : { variant: random.between(1, 3) },
  }));
  sometimes(0.6, 4, (project) => ({ kind: 'review', project }));
  sometimes(0.3, 2, (project) => ({ kind: 'cancel', project }));
  sometimes(0.5, 3, (project) => ({ kind: 'decide', project }));
  sometimes(0.3, 3, (project) => ({ kind: 'deploy', project }));
  sometimes(0.5, 3, (project) => ({ kind: 'rollback', project }));
  sometimes(0.3, 2, (project) => ({ kind: 'commit', project }));
  sometimes(0.3, 2, (project) => ({ kind: 'replay', project }));
  sometimes(0.2, 2, (project) => ({ kind: 'heal', project }));
  sometimes(0.4, 3, (project) => ({ kind: 'look', project }));
  sometimes(0.7, 4, (project) => ({
    kind: 'score',
    project,
    picture: drawUpload(random, project, 0, 9).body,
    times: 3,
  }));
  sometimes(0.2, 2, (_, i) => strays[(i + seed) % strays.length] as Action);
  sometimes(0.25, 2, (project) => ({
    ...{ kind: 'settings', project },
    settings: { ...settings.get(project), split: { validationPercent: 20, testPercent: random.between(5, 45) } },
  }));
  // drawn by themselves: what is above stays as it is for every seed
  const others = createRandom(seed ^ 0x5eed_0002);
  for (const kind of ['patch', 'keys'] as const)
    if (others.next() < 0.1)
      actions.push({ atMs: others.between(1000, length), action: { kind, project: others.pick(names) } });
  actions.sort((a, b) => a.atMs - b.atMs);
  // some begin a minute before midnight, where daily limits change
  const startsAt = chance(0.1) ? '2026-03-01T23:58:30.000Z' : '2026-03-01T12:00:00.000Z';
  return { startsAt, projects, actions, faultsUntilMs: random.between(5, 25) * minute };
}
