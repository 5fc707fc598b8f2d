/**
 * Messages on disk. Changes of one turn of the event loop share one transaction (group commit), and whoever asked
 * is answered after it. SQLite's WAL with synchronous=NORMAL survives the death of the process, not a power cut.
 */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import * as z from 'zod';
import { type BusMessage, parseMessage } from './message.ts';

type Change =
  | { kind: 'put'; queue: string; message: BusMessage }
  | { kind: 'remove'; queue: string; sequence: number }
  | { kind: 'sequence'; queue: string; sequence: number };

const kept = z.object({
  header: z.object({ durable: z.boolean().optional(), priority: z.number().optional(), ttl: z.number().optional() }),
  annotations: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  enqueuedSequence: z.number(),
  deliveryCount: z.number(),
  enqueuedAt: z.number(),
  dueAt: z.number().nullable(),
  deadLetterSource: z.string().nullable(),
});

/** Where a broker keeps its messages. */
export class MessageStore {
  readonly #database: DatabaseSync;
  #pending: Change[] = [];
  #flushing: Promise<void> | undefined;

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true });
    this.#database = new DatabaseSync(path.join(folder, 'messages.sqlite'));
    this.#database.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = NORMAL;
      CREATE TABLE IF NOT EXISTS messages (queue TEXT, sequence INTEGER, meta TEXT, bare BLOB, PRIMARY KEY (queue, sequence)) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS sequences (queue TEXT PRIMARY KEY, sequence INTEGER) WITHOUT ROWID;
    `);
  }

  /** Messages of a queue in order, and the highest sequence number it ever gave. */
  load(queue: string): { messages: BusMessage[]; sequence: number } {
    const rows = this.#database
      .prepare('SELECT sequence, meta, bare FROM messages WHERE queue = ? ORDER BY sequence')
      .all(queue);
    const messages = rows.map((row): BusMessage => {
      const meta = kept.parse(JSON.parse(String(row['meta'])));
      const { durable, priority, ttl } = meta.header;
      const header = {
        ...(durable === undefined ? {} : { durable }),
        ...(priority === undefined ? {} : { priority }),
        ...(ttl === undefined ? {} : { ttl }),
      };
      return {
        ...parseMessage(Buffer.from(row['bare'] as Uint8Array)),
        ...meta,
        header,
        sequence: Number(row['sequence']),
      };
    });
    const last = this.#database.prepare('SELECT sequence FROM sequences WHERE queue = ?').get(queue);
    return { messages, sequence: Math.max(Number(last?.['sequence'] ?? 0), messages.at(-1)?.sequence ?? 0) };
  }

  /** Resolves when the change is on disk. */
  write(change: Change): Promise<void> {
    this.#pending.push(change);
    this.#flushing ??= new Promise((resolve, reject) => {
      setImmediate(() => {
        this.#flushing = undefined;
        try {
          this.#flush();
          resolve();
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
    });
    return this.#flushing;
  }

  #flush(): void {
    const changes = this.#pending;
    this.#pending = [];
    const put = this.#database.prepare('INSERT OR REPLACE INTO messages VALUES (?, ?, ?, ?)');
    const remove = this.#database.prepare('DELETE FROM messages WHERE queue = ? AND sequence = ?');
    const sequence = this.#database.prepare('INSERT OR REPLACE INTO sequences VALUES (?, ?)');
    this.#database.exec('BEGIN');
    try {
      const highest = new Map<string, number>();
      for (const change of changes) {
        if (change.kind === 'put') {
          const {
            sequence: number,
            bare,
            header,
            annotations,
            enqueuedSequence,
            deliveryCount,
            enqueuedAt,
            dueAt,
            deadLetterSource,
          } = change.message;
          const meta = { header, annotations, enqueuedSequence, deliveryCount, enqueuedAt, dueAt, deadLetterSource };
          put.run(change.queue, number, JSON.stringify(meta), bare);
          highest.set(change.queue, Math.max(highest.get(change.queue) ?? 0, number));
        } else if (change.kind === 'remove') remove.run(change.queue, change.sequence);
        else highest.set(change.queue, Math.max(highest.get(change.queue) ?? 0, change.sequence));
      }
      for (const [queue, number] of highest) sequence.run(queue, number);
      this.#database.exec('COMMIT');
    } catch (error) {
      // a failing disk may have ended the transaction already
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  close(): void {
    this.#flush();
    this.#database.close();
  }
}
