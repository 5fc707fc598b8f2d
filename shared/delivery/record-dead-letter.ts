/** `<queue>/$deadletterqueue` -> a record of what got stuck and why. Never throws on content. */
import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import type { DeadLetterDocument } from './document.ts';
import { feedEntry } from '../event/feed-entry.ts';
import { projectName } from '../names.ts';
import { update } from '../update.ts';
import type { Ports } from '../ports.ts';
import { asFirstSent } from './plan-redelivery.ts';
import type { QueueName } from '../resources.ts';

const maxBodyBytes = 64 * 1024;

export interface StuckMessage {
  /** the message as it came: parsed JSON, text or bytes */
  body: unknown;
  reason: string;
  detail: string;
}

/** The text of a body that may be anything; `whole`: nothing of it is left out. */
function textOf(body: unknown): { text: string; whole: boolean } {
  if (typeof body === 'string') return { text: body, whole: true };
  if (Buffer.isBuffer(body)) return { text: body.toString('utf8'), whole: true };
  try {
    return { text: JSON.stringify(body) ?? 'null', whole: true };
  } catch {
    // nested so deeply that writing it overflows the stack, as turning it into a text any other way would
    return { text: inspect(body, { depth: 10, maxArrayLength: 100, maxStringLength: 1000 }), whole: false };
  }
}

const isRecord = (body: unknown): body is object =>
  typeof body === 'object' && body !== null && !Array.isArray(body) && !Buffer.isBuffer(body);

const field = (body: unknown, name: string): unknown =>
  typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[name] : undefined;

function projectOf(body: unknown): string | null {
  const project = field(field(body, 'data'), 'project');
  if (typeof project === 'string') return project.slice(0, 40);
  const subject = field(body, 'subject');
  if (typeof subject !== 'string') return null;
  return /\/blobs\/([a-z][a-z0-9-]{1,38}[a-z0-9])\//.exec(subject)?.[1] ?? null;
}

/** Records one stuck message; the same message stuck again raises its count. */
export async function recordDeadLetter(
  ports: Pick<Ports, 'clock' | 'documents'>,
  queue: QueueName,
  stuck: StuckMessage,
): Promise<{ outcome: string; project: string | null }> {
  // one that was put off is the same dead letter however often that was, and begins anew when it is sent again
  const { text, whole } = textOf(isRecord(stuck.body) ? asFirstSent(stuck.body) : stuck.body);
  const id = `x${createHash('sha256').update(`${queue}\n${text}`).digest('hex').slice(0, 31)}`;
  const at = ports.clock.now().toISOString();
  const messageId = field(stuck.body, 'id');
  const project = projectOf(stuck.body);
  if (project !== null && projectName.safeParse(project).success) {
    const text = `A message of ${queue} is stuck (${stuck.reason}): ${stuck.detail} GET /dead-letters has it.`;
    const said = { type: 'dead-letter.recorded', subject: `dead-letters/${queue}/${id}`, text, at, by: null };
    await ports.documents.create('events', feedEntry(project, said, ['dead-letter', id], { id }).event);
  }
  await update(ports.documents, 'dead-letters', queue, id, (current): DeadLetterDocument => ({
    id,
    pk: queue,
    queue,
    messageId: typeof messageId === 'string' ? messageId.slice(0, 200) : '',
    body: text.slice(0, maxBodyBytes),
    truncated: !whole || text.length > maxBodyBytes,
    reason: stuck.reason.slice(0, 200),
    detail: stuck.detail.slice(0, 2000),
    project,
    status: 'waiting',
    count: (current?.count ?? 0) + 1,
    firstAt: current?.firstAt ?? at,
    lastAt: at,
    replayedAt: current?.replayedAt ?? null,
    ...(current?.dismissed === undefined ? {} : { dismissed: current.dismissed }),
  }));
  return { outcome: 'recorded', project };
}
