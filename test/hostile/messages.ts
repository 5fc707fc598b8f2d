/** Messages of our own queues as no function of ours sends them. Expected: what their stage makes of them. */
import type { QueueName } from '../../shared/resources.ts';
import type { HostileCase } from './case.ts';

export interface Delivered {
  queue: QueueName;
  body: unknown;
}

const envelope = { specversion: '1.0', id: 'm-1', source: '/darkroom', subject: 'digits' };
const of = (type: string, data: unknown): Record<string, unknown> => ({ ...envelope, type: `darkroom.${type}`, data });
const invalid = 'dead-letter invalid-message';

const due = { project: 'digits', generation: 0, openedAt: '2026-03-01T00:00:00Z', now: false };
const run = { project: 'digits', run: 't1' };
const good: Record<string, [QueueName, unknown, string]> = {
  'commit.due': ['dataset-commits', due, 'superseded-message'],
  'version.committed': ['trainings', { project: 'digits', version: 'v', number: 1 }, 'superseded-by-newer-version'],
  'run.queued': ['trainings', run, 'not-its-turn'],
  'run.poll': ['trainings', { ...run, token: 'x' }, 'unknown-run'],
  'run.ended': ['trainings', run, 'no-scheduler'],
  'run.trained': ['evaluations', run, 'unknown-run'],
  'model.approved': ['deployments', { project: 'digits', model: 1, deployment: 'd' }, 'unknown-model'],
  'canary.check': ['deployments', { project: 'digits', deployment: 'd' }, 'over'],
};

/** Every type alike: data of nobody is passed over, broken data is refused. */
const everyType = Object.entries(good).flatMap(([type, [queue, data, outcome]]): [string, Delivered, string][] => [
  [`${type} of nothing that is there`, { queue, body: of(type, data) }, outcome],
  [
    `${type} of a project that is a path`,
    { queue, body: of(type, { ...(data as object), project: '../digits' }) },
    invalid,
  ],
  [`${type} without data`, { queue, body: of(type, undefined) }, invalid],
  [`${type} with data that is a list`, { queue, body: of(type, [data]) }, invalid],
  [`${type} as text`, { queue, body: JSON.stringify(of(type, data)) }, invalid],
]);

const single: [string, Delivered, string][] = [
  [
    'commit.due of a generation below zero',
    { queue: 'dataset-commits', body: of('commit.due', { ...due, generation: -1 }) },
    invalid,
  ],
  [
    'commit.due of half a generation',
    { queue: 'dataset-commits', body: of('commit.due', { ...due, generation: 0.5 }) },
    invalid,
  ],
  [
    'commit.due of a generation far ahead',
    { queue: 'dataset-commits', body: of('commit.due', { ...due, generation: 2 ** 53 - 1 }) },
    'superseded-message',
  ],
  [
    'commit.due of a day that never was',
    { queue: 'dataset-commits', body: of('commit.due', { ...due, openedAt: '0' }) },
    invalid,
  ],
  [
    'commit.due now, of nothing',
    { queue: 'dataset-commits', body: of('commit.due', { ...due, now: true }) },
    'nothing-new',
  ],
  [
    'commit.due of another project',
    { queue: 'dataset-commits', body: of('commit.due', { ...due, project: 'nowhere' }) },
    'unknown-project',
  ],
  ['run.queued with an empty run', { queue: 'trainings', body: of('run.queued', { ...run, run: '' }) }, 'not-its-turn'],
  [
    'run.poll with an empty run',
    { queue: 'trainings', body: of('run.poll', { ...run, run: '', token: '' }) },
    'unknown-run',
  ],
  [
    'run.trained with a run that is a path',
    { queue: 'evaluations', body: of('run.trained', { ...run, run: '../../x' }) },
    'unknown-run',
  ],
  [
    'run.trained with a run of 81',
    { queue: 'evaluations', body: of('run.trained', { ...run, run: 'x'.repeat(81) }) },
    invalid,
  ],
  [
    'model.approved with model zero',
    { queue: 'deployments', body: of('model.approved', { project: 'digits', model: 0, deployment: 'd' }) },
    invalid,
  ],
  [
    'model.approved with a model beyond all',
    { queue: 'deployments', body: of('model.approved', { project: 'digits', model: 2 ** 53 - 1, deployment: 'd' }) },
    'unknown-model',
  ],
  ['a message of another queue', { queue: 'evaluations', body: of('run.queued', run) }, invalid],
  [
    'a storage event among commits',
    { queue: 'dataset-commits', body: { ...envelope, type: 'Microsoft.Storage.BlobCreated', data: {} } },
    invalid,
  ],
  ['a type that is a prototype', { queue: 'trainings', body: of('__proto__', run) }, invalid],
  [
    'a body that spoofs the broker',
    { queue: 'evaluations', body: { ...of('run.trained', run), deliveryCount: 99, lockToken: 'x' } },
    'unknown-run',
  ],
  ['a body of one number', { queue: 'deployments', body: 1e3 }, invalid],
  ['a body of NULs', { queue: 'deployments', body: '\0\0\0' }, invalid],
];

export const messages: HostileCase<Delivered>[] = [...everyType, ...single].map(([name, input, expected]) => ({
  name,
  input,
  expected,
}));
