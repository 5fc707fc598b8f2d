/** The manual gate: a person approves or rejects a model version. */
import type { Outgoing } from '../delivery/document.ts';
import type { Cause } from '../delivery/message.ts';
import { outboxOf, sendOutbox } from '../delivery/send-outbox.ts';
import { digestOf } from '../digest.ts';
import type { EndpointDocument } from '../endpoint/document.ts';
import { TerminalError } from '../errors.ts';
import { feedEntry } from '../event/feed-entry.ts';
import type { Ports, Stored } from '../ports.ts';
import { assertSeen, changed, type Seen } from '../precondition.ts';
import type { ProjectDocument } from '../project/document.ts';
import { findProject } from '../project/find.ts';
import { approved } from './messages.ts';
import type { ModelDocument } from './document.ts';
import { findModel } from './find.ts';

/** What a person decides of a model version, and which state of it they had seen. */
export interface Decision {
  project: string;
  number: string;
  state: 'approved' | 'rejected';
  by: string;
  seen: Seen;
}

/** What came of it: the model version, and the endpoint beside which it is shown. */
export interface Decided {
  model: Stored<ModelDocument>;
  endpoint: EndpointDocument | undefined;
}

/**
 * Approves or rejects a model version; an approved one is deployed at once where the project deploys automatically. Safe
 * to repeat. Throws a TerminalError where the model changed since it was seen, and for rejecting one that serves.
 */
export async function decideModel(
  ports: Pick<Ports, 'clock' | 'documents' | 'messages'>,
  decision: Decision,
  cause: Cause,
): Promise<Decided> {
  const { document: project } = await findProject(ports, decision.project);
  const stored = await findModel(ports, project.id, decision.number);
  const model = stored.document;
  const endpoint = (await ports.documents.read('endpoints', project.id, 'endpoint'))?.document;
  // decided already, maybe by this very request when its answer did not arrive: its etag is an older one
  const repeated = model.state === decision.state;
  assertSeen(decision.seen, repeated ? (decision.seen ?? '') : stored.etag);
  if (repeated) {
    await sendOutbox(ports, 'models', stored);
    return { model: stored, endpoint };
  }
  if (decision.state === 'rejected') assertNotServing(model, endpoint);
  const at = ports.clock.now().toISOString();
  const decided = { ...model, state: decision.state, decidedBy: decision.by };
  const outbox = [...outboxOf(model), ...followUps(project, model, decision, at, cause)];
  const saved = await ports.documents.replace('models', { ...decided, outbox }, stored.etag);
  if (saved === 'changed') throw changed();
  await sendOutbox(ports, 'models', saved);
  return { model: await findModel(ports, project.id, model.number), endpoint };
}

function assertNotServing({ number }: ModelDocument, endpoint: EndpointDocument | undefined): void {
  if (endpoint?.production?.model !== number && endpoint?.canary?.model !== number) return;
  const detail = `Model ${number} is behind the endpoint. Roll back or deploy another one first.`;
  throw new TerminalError('model-is-serving', detail);
}

/** What a decision tells the feed, and the deployment that it asks for. */
function followUps(
  { id, settings }: ProjectDocument,
  { number, digest }: ModelDocument,
  { state, by }: Decision,
  at: string,
  cause: Cause,
): Outgoing[] {
  const said = { type: `model.${state}`, subject: `models/${number}`, text: `${by} ${state} model ${number}.`, at, by };
  const event = feedEntry(id, said, ['model', String(number), state, at], cause);
  if (state === 'rejected' || settings.deploy.mode !== 'automatic') return [event];
  return [event, approved(id, number, `o-${digestOf(24, digest, at)}`, cause)];
}
