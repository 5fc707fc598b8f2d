/** Requesting a training by the project's policy, when a version was committed. */
import type * as z from 'zod';
import type { versionCommitted } from '../delivery/message.ts';
import { announceIdle } from './announce-idle.ts';
import { requestTraining, type RequestPorts } from './request.ts';
import { whyNotOn } from './why-idle.ts';

/** Requests a training of a committed version, or says in the feed why none begins; returns what became of it. */
export async function requestOnVersion(
  ports: RequestPorts,
  message: z.infer<typeof versionCommitted>,
): Promise<string> {
  const { project: name, version } = message.data;
  const project = await ports.documents.read('projects', 'projects', name);
  if (project === undefined) return 'unknown-project';
  const head = await ports.documents.read('heads', name, 'head');
  if (head?.document.head?.version !== version) return 'superseded-by-newer-version';
  // nothing is stuck: the next version may have the second class, or the settings may be others
  const why = whyNotOn(project.document.settings, head.document.head, ports);
  if (why !== undefined) {
    await announceIdle(ports, name, why, message);
    return why.code;
  }
  const input = { version, by: 'policy', kind: 'policy' as const };
  const { decision } = await requestTraining(ports, project.document, input, message);
  if (decision.decision === 'refused' && decision.retryAfterSeconds > 0) {
    const again = { ...message, id: `${message.id.slice(0, 180)}-later` };
    await ports.messages.send(
      'trainings',
      [again],
      new Date(ports.clock.now().getTime() + decision.retryAfterSeconds * 1000),
    );
  }
  if (decision.decision !== 'refused') return decision.decision;
  await announceIdle(ports, name, decision, message);
  return decision.code;
}
