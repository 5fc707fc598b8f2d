/**
 * Databases, containers and documents in one SQLite file. WAL with synchronous=NORMAL: a commit is in the operating system's
 * cache before it is acknowledged, so it survives the death of this process (kill -9), though not a power cut.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import type { Scope } from './partition-key.ts';
import type { IndexingPolicy } from './indexes.ts';

/** numbers are given out of blocks, so that one is never given twice, whatever is deleted before a restart */
const blockSize = 10_000;
const maxCachedStatements = 500;
/** between two removals of expired documents, in milliseconds; what has expired is invisible at once */
const purgeIntervalMs = 30_000;

export interface Definition {
  id: string;
  partitionKey: { paths: string[]; kind: string; version?: number | undefined };
  /** seconds; -1: documents expire only by their own `ttl`; undefined: never */
  defaultTtl?: number | undefined;
  /** undefined: as Azure makes it, every property by itself */
  indexingPolicy?: IndexingPolicy | undefined;
  [other: string]: unknown;
}

export interface DatabaseRecord {
  number: number;
  id: string;
  ts: number;
  etag: string;
}

export interface ContainerRecord extends DatabaseRecord {
  database: DatabaseRecord;
  definition: Definition;
}

export interface StoredDocument {
  number: number;
  etag: string;
  body: string;
}

export interface DocumentRow extends StoredDocument {
  key: string;
  id: string;
  /** order of the last changes, for the change feed */
  change: number;
  /** seconds since the epoch */
  ts: number;
  /** the document's own time to live in seconds; -1: for ever; null: the container's */
  ttl: number | null;
}

export interface Scan {
  scope: Scope;
  conditions: { text: string; values: SQLInputValue[] }[];
  /** columns to order by, the document's number last */
  columns: string[];
  descending: boolean;
  /** only rows not before these values of the columns */
  from: SQLInputValue[] | undefined;
  limit: number | undefined;
}

/** Now, in seconds since the epoch, as documents carry it in `_ts`. */
export const nowSeconds = (): number => Math.floor(Date.now() / 1000);

/** the moment a document expires, in SQL, from its columns and the container's default (a parameter, twice) */
const expiry =
  'CASE WHEN ? IS NULL OR ttl = -1 THEN NULL WHEN ttl IS NOT NULL THEN ts + ttl WHEN ? = -1 THEN NULL ELSE ts + ? END';

export class Store {
  readonly #sql: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #purge: NodeJS.Timeout;
  #next: number;
  #reserved: number;

  /** `dataDir`: folder of the file, made when missing, or `:memory:` */
  constructor(dataDir: string) {
    if (dataDir !== ':memory:') mkdirSync(dataDir, { recursive: true });
    this.#sql = new DatabaseSync(dataDir === ':memory:' ? dataDir : join(dataDir, 'cosmos.sqlite'));
    this.#sql.exec(`
      PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
      CREATE TABLE IF NOT EXISTS counter (next INTEGER);
      CREATE TABLE IF NOT EXISTS databases (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE, ts INTEGER, etag TEXT);
      CREATE TABLE IF NOT EXISTS containers (
        number INTEGER PRIMARY KEY AUTOINCREMENT, db INTEGER, id TEXT, definition TEXT, ts INTEGER, etag TEXT, UNIQUE (db, id));
      INSERT INTO counter SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM counter);`);
    this.#next = Number(this.#sql.prepare('SELECT next FROM counter').get()?.['next']);
    this.#reserved = this.#next;
    this.#purge = setInterval(() => this.#purgeSoon(), purgeIntervalMs);
    this.#purge.unref();
  }

  /** A prepared statement; the table's number and pushed-down conditions make the text, so few are ever needed. */
  prepare(text: string): StatementSync {
    const known = this.#statements.get(text);
    if (known !== undefined) return known;
    if (this.#statements.size >= maxCachedStatements) this.#statements.clear();
    const statement = this.#sql.prepare(text);
    this.#statements.set(text, statement);
    return statement;
  }

  /** A number greater than every one before, restarts included. */
  nextNumber(): number {
    if (this.#next >= this.#reserved) {
      this.prepare('UPDATE counter SET next = ?').run(this.#next + blockSize);
      this.#reserved = this.#next + blockSize;
    }
    this.#next += 1;
    return this.#next - 1;
  }

  /** the last number given; grows with every write */
  get lastNumber(): number {
    return this.#next - 1;
  }

  /** Runs `work` in one transaction: all of its writes are kept, or, when it throws, none. */
  transaction<T>(work: () => T): T {
    this.#sql.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#sql.exec('COMMIT');
      return result;
    } catch (error) {
      // a failing disk may have ended the transaction already
      if (this.#sql.isTransaction) this.#sql.exec('ROLLBACK');
      // the block may have been reserved in what was rolled back: take a new one
      this.#reserved = this.#next;
      throw error;
    }
  }

  databases(): DatabaseRecord[] {
    return this.prepare('SELECT * FROM databases ORDER BY number').all() as unknown as DatabaseRecord[];
  }

  createDatabase(id: string, etag: string): void {
    this.prepare('INSERT INTO databases (id, ts, etag) VALUES (?, ?, ?)').run(id, nowSeconds(), etag);
  }

  deleteDatabase(database: DatabaseRecord): void {
    for (const container of this.containers(database)) this.deleteContainer(container);
    this.prepare('DELETE FROM databases WHERE number = ?').run(database.number);
  }

  containers(database: DatabaseRecord): ContainerRecord[] {
    const rows = this.prepare('SELECT * FROM containers WHERE db = ? ORDER BY number').all(database.number);
    return rows.map((row) => ({
      ...(row as unknown as DatabaseRecord),
      database,
      definition: JSON.parse(String(row['definition'])) as Definition,
    }));
  }

  createContainer(database: DatabaseRecord, definition: Definition, etag: string): void {
    const { lastInsertRowid: n } = this.prepare(
      'INSERT INTO containers (db, id, definition, ts, etag) VALUES (?, ?, ?, ?, ?)',
    ).run(database.number, definition.id, JSON.stringify(definition), nowSeconds(), etag);
    this.#sql.exec(`
      CREATE TABLE docs_${n} (number INTEGER PRIMARY KEY, pk TEXT NOT NULL, id TEXT NOT NULL, change INTEGER NOT NULL,
        etag TEXT NOT NULL, ts INTEGER NOT NULL, ttl INTEGER, expires INTEGER, body TEXT NOT NULL, UNIQUE (pk, id));
      CREATE INDEX docs_${n}_pk ON docs_${n} (pk);
      CREATE INDEX docs_${n}_change ON docs_${n} (change);
      CREATE INDEX docs_${n}_expires ON docs_${n} (expires) WHERE expires IS NOT NULL;`);
  }

  /** A new definition; a changed default time to live counts for what is already there. */
  replaceContainer(container: ContainerRecord, definition: Definition, etag: string): void {
    this.prepare('UPDATE containers SET definition = ?, ts = ?, etag = ? WHERE number = ?').run(
      JSON.stringify(definition),
      nowSeconds(),
      etag,
      container.number,
    );
    const ttl = definition.defaultTtl ?? null;
    this.prepare(`UPDATE docs_${container.number} SET expires = ${expiry}`).run(ttl, ttl, ttl);
  }

  deleteContainer({ number }: ContainerRecord): void {
    // a statement that still reads the table would keep it
    this.#statements.clear();
    this.#sql.exec(`DROP TABLE docs_${number}`);
    this.prepare('DELETE FROM containers WHERE number = ?').run(number);
  }

  read({ number }: ContainerRecord, key: string, id: string): StoredDocument | undefined {
    return this.prepare(
      `SELECT number, etag, body FROM docs_${number} WHERE pk = ? AND id = ? AND (expires IS NULL OR expires > ?)`,
    ).get(key, id, nowSeconds()) as StoredDocument | undefined;
  }

  /** Id of a document by its number. */
  idOf({ number }: ContainerRecord, document: number): string | undefined {
    const found = this.prepare(`SELECT id FROM docs_${number} WHERE number = ?`).get(document);
    return found === undefined ? undefined : String(found['id']);
  }

  /** Writes a document in place of the one of its key and id, an expired one too. */
  write({ number, definition }: ContainerRecord, row: DocumentRow): void {
    const ttl = definition.defaultTtl ?? null;
    this.prepare(
      `INSERT OR REPLACE INTO docs_${number} (number, pk, id, change, etag, ts, ttl, body, expires)
       SELECT *, ${expiry} FROM (SELECT ? AS number, ? AS pk, ? AS id, ? AS change, ? AS etag, ? AS ts, ? AS ttl, ? AS body)`,
    ).run(ttl, ttl, ttl, row.number, row.key, row.id, row.change, row.etag, row.ts, row.ttl, row.body);
  }

  delete({ number }: ContainerRecord, document: StoredDocument): void {
    this.prepare(`DELETE FROM docs_${number} WHERE number = ?`).run(document.number);
  }

  #where({ scope, conditions }: Pick<Scan, 'scope' | 'conditions'>): { where: string; values: SQLInputValue[] } {
    const parts = ['(expires IS NULL OR expires > ?)', ...conditions.map(({ text }) => `(${text})`)];
    const values = [nowSeconds(), ...conditions.flatMap((c) => c.values)];
    if (scope.kind === 'partition') {
      parts.push('pk = ?');
      values.push(scope.key);
    } else if (scope.kind === 'prefix') {
      // every key that begins with the prefix: no character sorts behind U+10FFFF
      parts.push('pk > ? AND pk < ?');
      values.push(scope.key, `${scope.key}\u{10ffff}`);
    }
    return { where: parts.join(' AND '), values };
  }

  /** Documents in order, read as far as they are asked for. Nothing may be written meanwhile. */
  scan({ number }: ContainerRecord, scan: Scan): Iterable<{ number: number; body: string }> {
    const { where, values } = this.#where(scan);
    const direction = scan.descending ? 'DESC' : 'ASC';
    const columns = [...scan.columns, 'number'];
    let text = `SELECT number, body FROM docs_${number} WHERE ${where}`;
    if (scan.from !== undefined) {
      text += ` AND (${columns.join(', ')}) ${scan.descending ? '<=' : '>='} (${columns.map(() => '?').join(', ')})`;
      values.push(...scan.from);
    }
    text += ` ORDER BY ${columns.map((column) => `${column} ${direction}`).join(', ')} LIMIT ?`;
    // a fresh statement: two scans of the same text may be open at once
    const rows = this.#sql.prepare(text).iterate(...values, scan.limit ?? -1);
    return rows as unknown as Iterable<{ number: number; body: string }>;
  }

  count({ number }: ContainerRecord, scan: Pick<Scan, 'scope' | 'conditions'>): number {
    const { where, values } = this.#where(scan);
    return Number(this.prepare(`SELECT COUNT(*) AS n FROM docs_${number} WHERE ${where}`).get(...values)?.['n']);
  }

  /** Documents changed after `change`, in the order of their changes. */
  changes({ number }: ContainerRecord, scope: Scope, after: number, sinceTs: number, limit: number) {
    const since = [{ text: 'change > ? AND ts >= ?', values: [after, sinceTs] }];
    const { where, values } = this.#where({ scope, conditions: since });
    const text = `SELECT change, body FROM docs_${number} WHERE ${where} ORDER BY change LIMIT ?`;
    return this.prepare(text).all(...values, limit) as unknown as { change: number; body: string }[];
  }

  /** A full disk keeps what has expired until there is room: it is invisible all the same. */
  #purgeSoon(): void {
    try {
      this.purgeExpired();
    } catch (error) {
      console.error('cosmos: expired documents stay for now:', error);
    }
  }

  /** Removes what has expired. */
  purgeExpired(): void {
    for (const database of this.databases()) {
      for (const { number } of this.containers(database)) {
        this.prepare(`DELETE FROM docs_${number} WHERE expires <= ?`).run(nowSeconds());
      }
    }
  }

  close(): void {
    clearInterval(this.#purge);
    this.#statements.clear();
    this.#sql.close();
  }
}
