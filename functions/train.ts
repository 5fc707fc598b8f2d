/** `training-requests` -> a job on compute: policy on new versions, starts, checks, and whose turn is next. */
import type * as z from 'zod';
import { compose, type queueMessages, type runEnded, type versionCommitted } from '../shared/delivery/message.ts';
import { checkRun } from '../shared/training/check.ts';
import { requestTraining } from '../shared/training/request.ts';
import type { HearPorts } from '../shared/training/hear.ts';
import { startRun, type TrainPorts } from '../shared/training/start.ts';
import { passTurn } from '../shared/training/turn.ts';
import { tellWaiting, whyNotOn } from '../shared/training/waiting-for.ts';

type TrainingMessage = z.infer<(typeof queueMessages)['training-requests']>;

/** Handles one wake-up of the training stage. */
export async function train(ports: HearPorts, message: TrainingMessage): Promise<{ outcome: string }> {
  switch (message.type) {
    case 'darkroom.version.committed':
      return { outcome: await onVersion(ports, message) };
    case 'darkroom.run.queued':
      return { outcome: await startRun(ports, message.data, message) };
    case 'darkroom.run.check':
      return { outcome: await checkRun(ports, message.data, message) };
    case 'darkroom.run.ended':
      return { outcome: await onEnded(ports, message) };
  }
}

async function onVersion(ports: TrainPorts, message: z.infer<typeof versionCommitted>): Promise<string> {
  const { project: name, version } = message.data;
  const project = await ports.documents.read('projects', 'projects', name);
  if (project === undefined) return 'unknown-project';
  const head = await ports.documents.read('heads', name, 'head');
  if (head?.document.head?.version !== version) return 'superseded-by-newer-version';
  // nothing is stuck: the next version may have the second class, or the settings may be others
  const why = whyNotOn(project.document.settings, head.document.head, ports.trainers);
  if (why !== undefined) {
    await tellWaiting(ports, name, why, message);
    return why.code;
  }
  const input = { version, by: 'policy', kind: 'policy' as const };
  const { verdict } = await requestTraining(ports, project.document, input, message);
  if (verdict.verdict === 'refused' && verdict.retryAfterSeconds > 0) {
    const again = { ...message, id: `${message.id.slice(0, 180)}-later` };
    await ports.messages.send(
      'training-requests',
      [again],
      new Date(ports.clock.now().getTime() + verdict.retryAfterSeconds * 1000),
    );
  }
  if (verdict.verdict !== 'refused') return verdict.verdict;
  await tellWaiting(ports, name, verdict, message);
  return verdict.code;
}

async function onEnded(ports: TrainPorts, message: z.infer<typeof runEnded>): Promise<string> {
  const { project, run } = message.data;
  const { outcome, heldBackSeconds } = await passTurn(ports, project, run, message);
  if (heldBackSeconds === undefined) return outcome;
  const again = compose<typeof message>('darkroom.run.ended', message.subject, message.data, message, 'again');
  // at least a second: another instance's clock may see the limit over by now
  const waitMs = Math.max(1, heldBackSeconds) * 1000;
  await ports.messages.send('training-requests', [again], new Date(ports.clock.now().getTime() + waitMs));
  return outcome;
}
