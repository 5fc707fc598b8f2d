/** A run whose job is at work, and what becomes of its reports and of the model that it leaves. */
import { name as project, succeeded, trainable } from '../shared/evaluation/trainable.ts';
import type { RunDocument } from '../../shared/training/document.ts';
import type { Report } from './reports.ts';
import { type Stages, stagesOf } from './stages.ts';

const event = (blob: string) => ({
  ...{ specversion: '1.0', id: 'e', source: 'test', type: 'Microsoft.Storage.BlobCreated' },
  ...{ subject: `/blobServices/default/containers/job-reports/blobs/${blob}`, data: { url: 'https://a/b', eTag: 'e' } },
});

export interface Job {
  world: Awaited<ReturnType<typeof trainable>>['world'];
  stages: Stages;
  run: () => Promise<RunDocument>;
}

/** Starts a training in a small world. */
export async function startedJob(): Promise<Job> {
  const it = await trainable();
  const { run } = await it.ask();
  await it.work();
  return { world: it.world, stages: stagesOf(it.world), run: () => it.run(run) };
}

/** Writes a report and delivers its event; says so when one that must change nothing changed the run. */
export async function deliverReport({ world, stages, run }: Job, { name, body, absent }: Report): Promise<string> {
  const before = await run();
  const token = before.token ?? '';
  const blob = name.replace('{run}', before.id).replace('{token}', token).replace('{TOKEN}', token.toUpperCase());
  await world.ports.blobs.remove('job-reports', blob);
  if (absent !== true) await world.ports.blobs.create('job-reports', blob, body);
  const outcome = await stages.deliver('training-events', event(blob));
  const same = JSON.stringify(await run()) === JSON.stringify(before);
  return same ? outcome : `${outcome}, and it changed the run`;
}

/** Leaves these bytes as the model of a run that has succeeded, and evaluates it: why the run failed, or how it ended. */
export async function leaveModel(bytes: Buffer): Promise<string> {
  const { world, stages, run } = await startedJob();
  const { id, token } = await run();
  const prefix = `${project}/${id}/${token}`;
  await world.ports.blobs.create('jobs', `${prefix}/model.onnx`, bytes);
  const report = { ...succeeded, sequence: 1, at: '2026-03-01T00:00:00Z', execution: 'trainer-1' };
  await world.ports.blobs.create('job-reports', `${prefix}/000001.json`, JSON.stringify(report));
  await stages.deliver('training-events', event(`${prefix}/000001.json`));
  const trained = world.sent.find(({ queue }) => queue === 'evaluations')?.message;
  const outcome = await stages.deliver('evaluations', trained);
  const { failure, state } = await run();
  const reason = /\(([\w-]+)\)/.exec(failure?.detail ?? '')?.[1];
  if (failure === null) return `${outcome} ${state}`;
  return failure.code === 'bad-model' ? `refused ${reason}` : `failed ${failure.code}`;
}
