/** Items on disk: SQLite in WAL mode with synchronous=NORMAL, which survives the death of the process. */
import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';

export type Item = Record<string, unknown> & { id: string };

/** An answer other than success, as the service words it. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export interface Container {
  number: number;
  id: string;
  definition: { id: string; partitionKey: { paths: string[] }; defaultTtl?: number };
}

export interface Operation {
  kind: 'Create' | 'Upsert' | 'Read' | 'Replace' | 'Delete';
  /** JSON of the array of partition key values */
  partition: string;
  id: string;
  item?: Item;
  ifMatch?: string | undefined;
  ifNoneMatch?: string | undefined;
}

export interface Outcome {
  status: number;
  item?: Item;
}

const maxItemBytes = 2 * 1024 * 1024;
const seconds = (): number => Math.floor(Date.now() / 1000);
const gone = (): Refusal => new Refusal(404, 'NotFound', 'Entity with the specified id does not exist in the system.');

/** The value at a partition key path such as `/pk`, as the header carries it. */
export function partitionOf(container: Container, item: Record<string, unknown>): string {
  const values = container.definition.partitionKey.paths.map((p) => {
    let value: unknown = item;
    for (const key of p.split('/').slice(1)) value = (value as Record<string, unknown> | undefined)?.[key];
    return value === undefined ? {} : value;
  });
  return JSON.stringify(values);
}

/** Hierarchical resource ids: four bytes for the database, four for the container, eight for the item. */
function resourceId(container: number, item: number): string {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32LE(1, 0);
  bytes.writeUInt32BE((0x8000_0000 | container) >>> 0, 4);
  bytes.writeBigUInt64LE(BigInt(item), 8);
  return bytes.toString('base64').replaceAll('/', '-');
}

export class ItemStore {
  readonly sql: DatabaseSync;
  readonly #containers = new Map<string, Container>();
  readonly #read: StatementSync;
  readonly #write: StatementSync;
  readonly #remove: StatementSync;
  #sequence: number;

  constructor(folder: string) {
    if (folder !== ':memory:') mkdirSync(folder, { recursive: true });
    this.sql = new DatabaseSync(folder === ':memory:' ? folder : path.join(folder, 'items.sqlite'));
    this.sql.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = NORMAL;
      CREATE TABLE IF NOT EXISTS containers (number INTEGER PRIMARY KEY, id TEXT UNIQUE, definition TEXT);
      CREATE TABLE IF NOT EXISTS items (
        container INTEGER, partition TEXT, id TEXT, sequence INTEGER, etag TEXT, expires INTEGER, body TEXT,
        PRIMARY KEY (container, partition, id)
      ) WITHOUT ROWID;
      CREATE INDEX IF NOT EXISTS feed ON items (container, sequence);
    `);
    this.#read = this.sql.prepare(
      'SELECT etag, expires, body FROM items WHERE container = ? AND partition = ? AND id = ?',
    );
    this.#write = this.sql.prepare('INSERT OR REPLACE INTO items VALUES (?, ?, ?, ?, ?, ?, ?)');
    this.#remove = this.sql.prepare('DELETE FROM items WHERE container = ? AND partition = ? AND id = ?');
    this.#sequence = Number(this.sql.prepare('SELECT MAX(sequence) AS last FROM items').get()?.['last'] ?? 0);
    for (const row of this.sql.prepare('SELECT number, id, definition FROM containers').all()) {
      const definition = JSON.parse(String(row['definition'])) as Container['definition'];
      this.#containers.set(String(row['id']), { number: Number(row['number']), id: String(row['id']), definition });
    }
  }

  get containers(): Container[] {
    return [...this.#containers.values()];
  }

  container(id: string): Container {
    const found = this.#containers.get(id);
    if (found === undefined) throw gone();
    return found;
  }

  /** Creates a container; an existing one of that id is a conflict. */
  createContainer(definition: Container['definition']): Container {
    if (this.#containers.has(definition.id))
      throw new Refusal(409, 'Conflict', `Container ${definition.id} exists already.`);
    const { lastInsertRowid } = this.sql
      .prepare('INSERT INTO containers (id, definition) VALUES (?, ?)')
      .run(definition.id, JSON.stringify(definition));
    const container = { number: Number(lastInsertRowid), id: definition.id, definition };
    this.#containers.set(definition.id, container);
    return container;
  }

  deleteContainer(id: string): void {
    const { number } = this.container(id);
    this.sql.prepare('DELETE FROM items WHERE container = ?').run(number);
    this.sql.prepare('DELETE FROM containers WHERE number = ?').run(number);
    this.#containers.delete(id);
  }

  /** All or nothing. */
  atomically<T>(work: () => T): T {
    this.sql.exec('BEGIN');
    try {
      const result = work();
      this.sql.exec('COMMIT');
      return result;
    } catch (error) {
      this.sql.exec('ROLLBACK');
      throw error;
    }
  }

  /** Carries out one operation; refuses as the service does (404, 409, 412, 413, 400). */
  apply(container: Container, { kind, partition, id, item, ifMatch, ifNoneMatch }: Operation): Outcome {
    const row = this.#read.get(container.number, partition, id);
    const expired = row !== undefined && row['expires'] !== null && Number(row['expires']) <= seconds();
    const current = row === undefined || expired ? undefined : { etag: String(row['etag']), body: String(row['body']) };
    const guard = (): void => {
      if (ifMatch !== undefined && ifMatch !== '*' && current?.etag !== ifMatch) {
        throw new Refusal(412, 'PreconditionFailed', 'One of the specified pre-condition is not met.');
      }
    };
    switch (kind) {
      case 'Create':
        if (current !== undefined)
          throw new Refusal(409, 'Conflict', 'Entity with the specified id already exists in the system.');
        return { status: 201, item: this.#put(container, partition, item, undefined) };
      case 'Upsert':
        if (current !== undefined) guard();
        return {
          status: current === undefined ? 201 : 200,
          item: this.#put(container, partition, item, current?.body),
        };
      case 'Read':
        if (current === undefined) throw gone();
        if (ifNoneMatch === current.etag) return { status: 304 };
        return { status: 200, item: JSON.parse(current.body) as Item };
      case 'Replace':
        if (current === undefined) throw gone();
        guard();
        return { status: 200, item: this.#put(container, partition, item, current.body) };
      case 'Delete':
        if (current === undefined) throw gone();
        guard();
        this.#remove.run(container.number, partition, id);
        return { status: 204 };
    }
  }

  #put(container: Container, partition: string, item: Item | undefined, before: string | undefined): Item {
    if (item === undefined || typeof item.id !== 'string' || !/^[^/\\?#]{1,1023}$/.test(item.id)) {
      throw new Refusal(400, 'BadRequest', 'An item needs an id of 1 to 1,023 characters without / \\ ? #.');
    }
    if (partitionOf(container, item) !== partition) {
      throw new Refusal(
        400,
        'BadRequest',
        'PartitionKey extracted from document doesn’t match the one specified in the header.',
      );
    }
    const sequence = ++this.#sequence;
    const rid =
      before === undefined ? resourceId(container.number, sequence) : String((JSON.parse(before) as Item)['_rid']);
    const etag = `"${randomUUID()}"`;
    const stored: Item = {
      ...item,
      _rid: rid,
      _self: `dbs/local/colls/${container.id}/docs/${rid}/`,
      _etag: etag,
      _attachments: 'attachments/',
      _ts: seconds(),
    };
    const body = JSON.stringify(stored);
    if (Buffer.byteLength(body) > maxItemBytes)
      throw new Refusal(413, 'RequestEntityTooLarge', 'Request size is too large: an item has 2 MB at most.');
    const { defaultTtl } = container.definition;
    const ttl = defaultTtl === undefined ? 0 : typeof item['ttl'] === 'number' ? item['ttl'] : defaultTtl;
    this.#write.run(container.number, partition, item.id, sequence, etag, ttl > 0 ? seconds() + ttl : null, body);
    return stored;
  }

  close(): void {
    this.sql.close();
  }
}
