/** `training-requests` -> a job on compute: policy on new versions, starts, checks, and whose turn is next. */
import type * as z from 'zod';
import type { queueMessages, versionCommitted } from '../shared/message.ts';
import { outboxOf, sendOutbox, update } from '../shared/outbox.ts';
import { checkRun } from '../shared/training/check.ts';
import { ensureRun, queued, requestTraining } from '../shared/training/request.ts';
import { isOpen } from '../shared/training/run.ts';
import { release } from '../shared/training/scheduler.ts';
import { startRun, type TrainPorts } from '../shared/training/start.ts';

type TrainingMessage = z.infer<(typeof queueMessages)['training-requests']>;

/** Handles one wake-up of the training stage. */
export async function train(ports: TrainPorts, message: TrainingMessage): Promise<{ outcome: string }> {
  switch (message.type) {
    case 'darkroom.version.committed':
      return { outcome: await onVersion(ports, message) };
    case 'darkroom.run.queued':
      return { outcome: await startRun(ports, message.data.project, message.data.run, message) };
    case 'darkroom.run.check':
      return { outcome: await checkRun(ports, message.data.project, message.data.run, message) };
    case 'darkroom.run.ended':
      return { outcome: await onEnded(ports, message.data.project, message.data.run, message) };
  }
}

async function onVersion(ports: TrainPorts, message: z.infer<typeof versionCommitted>): Promise<string> {
  const { project: name, version } = message.data;
  const project = await ports.documents.read('projects', 'projects', name);
  if (project === undefined) return 'unknown-project';
  if (!project.document.settings.retrain.onVersion) return 'switched-off';
  const head = await ports.documents.read('heads', name, 'head');
  if (head?.document.head?.version !== version) return 'superseded-by-newer-version';
  const { verdict } = await requestTraining(
    ports,
    project.document,
    { version, by: 'policy', kind: 'policy' },
    message,
  );
  if (verdict.verdict === 'refused' && verdict.retryAfterSeconds > 0) {
    const again = { ...message, id: `${message.id.slice(0, 180)}-later` };
    await ports.messages.send(
      'training-requests',
      [again],
      new Date(ports.clock.now().getTime() + verdict.retryAfterSeconds * 1000),
    );
  }
  return verdict.verdict === 'refused' ? verdict.code : verdict.verdict;
}

async function onEnded(ports: TrainPorts, project: string, run: string, message: TrainingMessage): Promise<string> {
  const stored = await ports.documents.read('runs', project, run);
  if (stored !== undefined && isOpen(stored.document.state)) return 'still-open';
  const settings = (await ports.documents.read('projects', 'projects', project))?.document.settings;
  if (settings === undefined) return 'unknown-project';
  const now = ports.clock.now();
  const limits = { maxPerDay: settings.retrain.maxPerDay, cooldownSeconds: settings.retrain.cooldownSeconds };
  const freed = await update(ports.documents, 'schedulers', project, 'scheduler', (current) => {
    if (current === undefined) return 'keep';
    const next = release(current, run, limits, now);
    if (next === current) return 'keep';
    const begun =
      next.active !== null && next.active.run !== current.active?.run
        ? [queued(project, next.active.run, message)]
        : [];
    return { ...current, ...next, outbox: [...outboxOf(current), ...begun] };
  });
  const scheduler = freed.stored?.document;
  if (freed.stored === undefined || scheduler === undefined) return 'no-scheduler';
  if (scheduler.active !== null) await ensureRun(ports, project, scheduler.active.run, scheduler.active.spec, message);
  await sendOutbox(ports, 'schedulers', freed.stored);
  return scheduler.active === null ? 'idle' : 'next-run-queued';
}
