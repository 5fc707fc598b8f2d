/**
 * What the front door remembers on disk: writes under way, events not yet delivered, and the sequencer.
 * A row is made before a write is forwarded and removed once its event is delivered, so that an event is sent for every
 * blob that was written, also when the front door is killed between the two.
 */
import { DatabaseSync } from 'node:sqlite';
import { diskRefusal } from '../disk.ts';
import type { BlobCreated, BlobWrite } from './event.ts';

/** numbers are reserved in steps: one durable write per step instead of one per event */
const sequencerStep = 10_000;
/** beyond this many undelivered events the front door refuses writes instead of growing */
const maxRows = 100_000;

export interface Undelivered {
  row: number;
  queue: string;
  write: BlobWrite;
  /** undefined: the front door died before it heard how the write ended */
  event: BlobCreated | undefined;
}

export interface Outbox {
  /** Notes a write that is about to be forwarded; undefined when the outbox is full. */
  begin(queue: string, write: BlobWrite): number | undefined;
  /** Keeps an event that could not be delivered; on disk when this returns. */
  keep(row: number, event: BlobCreated): void;
  /** Forgets a write: it failed, or its event is delivered. On a full disk that happens with the next one. */
  remove(row: number): void;
  /** What `begin` or `keep` left before this process, oldest first. */
  left(): Undelivered[];
  /** 48 hex digits as in Event Grid; greater than all before, across restarts; compare as strings */
  nextSequencer(): string;
  close(): void;
}

interface Row {
  row: number;
  queue: string;
  write: string;
  event: string | null;
}

const parse = (row: Row): Undelivered => ({
  row: row.row,
  queue: row.queue,
  write: JSON.parse(row.write) as BlobWrite,
  event: row.event === null ? undefined : (JSON.parse(row.event) as BlobCreated),
});

/** Opens (or makes) the outbox file. */
export function openOutbox(file: string): Outbox {
  const database = new DatabaseSync(file);
  // NORMAL survives a killed process, which is what `begin` needs; `keep` asks for more
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000;
    CREATE TABLE IF NOT EXISTS writes (row INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, write TEXT NOT NULL, event TEXT) STRICT;
    CREATE TABLE IF NOT EXISTS sequencer (id INTEGER PRIMARY KEY CHECK (id = 1), reserved INTEGER NOT NULL) STRICT;
    INSERT OR IGNORE INTO sequencer VALUES (1, 0);`);
  const insert = database.prepare('INSERT INTO writes (queue, write) VALUES (?, ?)');
  const update = database.prepare('UPDATE writes SET event = ? WHERE row = ?');
  const remove = database.prepare('DELETE FROM writes WHERE row = ?');
  const reserve = database.prepare('UPDATE sequencer SET reserved = reserved + ? RETURNING reserved');
  const select = database.prepare('SELECT * FROM writes ORDER BY row');
  let rows = Number(database.prepare('SELECT count(*) AS n FROM writes').get()?.['n'] ?? 0);
  /** rows to be removed; few, as a full disk takes no new ones */
  const done = new Set<number>();
  let next = 0;
  let reserved = 0;

  return {
    begin(queue, write) {
      if (rows >= maxRows) return undefined;
      const { lastInsertRowid } = insert.run(queue, JSON.stringify(write));
      rows += 1;
      return Number(lastInsertRowid);
    },
    keep(row, event) {
      database.exec('PRAGMA synchronous = FULL');
      try {
        update.run(JSON.stringify(event), row);
      } finally {
        database.exec('PRAGMA synchronous = NORMAL');
      }
    },
    remove(row) {
      done.add(row);
      try {
        for (const one of done) {
          rows -= Number(remove.run(one).changes);
          done.delete(one);
        }
      } catch (error) {
        if (diskRefusal(error) === undefined) throw error;
      }
    },
    left: () => (select.all() as unknown as Row[]).map(parse),
    nextSequencer() {
      if (next >= reserved) {
        reserved = Number(reserve.get(sequencerStep)?.['reserved']);
        next = reserved - sequencerStep;
      }
      next += 1;
      return next.toString(16).padStart(48, '0');
    },
    close: () => database.close(),
  };
}
