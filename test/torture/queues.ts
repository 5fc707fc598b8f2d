/** What waits in the broker, read from its own store. */
import { DatabaseSync } from 'node:sqlite';
import path from 'node:path';

/** Messages that could be delivered now, and how long the oldest has waited; by queue, dead letters apart. */
export function waitingByQueue(folder: string): Map<string, { messages: number; oldestSeconds: number }> {
  const database = new DatabaseSync(path.join(folder, 'service-bus', 'messages.sqlite'), { readOnly: true });
  try {
    const found = new Map<string, { messages: number; oldestSeconds: number }>();
    for (const row of database.prepare('SELECT queue, meta FROM messages').all()) {
      const meta = JSON.parse(String(row['meta'])) as { dueAt: number | null; enqueuedAt: number };
      if (meta.dueAt !== null && meta.dueAt > Date.now()) continue;
      const queue = String(row['queue']);
      const before = found.get(queue) ?? { messages: 0, oldestSeconds: 0 };
      const waited = (Date.now() - Math.max(meta.enqueuedAt, meta.dueAt ?? 0)) / 1000;
      found.set(queue, { messages: before.messages + 1, oldestSeconds: Math.max(before.oldestSeconds, waited) });
    }
    return found;
  } finally {
    database.close();
  }
}
