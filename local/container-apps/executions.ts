/** Executions on disk: what was started, where it runs, how it ended. */
import { DatabaseSync } from 'node:sqlite';
import type { ExecutionStatus } from './arm.ts';

/** ended executions kept per job, as Azure keeps a limited history */
const keptPerJob = 200;

/** `T`: what it was started with, as JSON */
export interface StoredExecution<T> {
  name: string;
  job: string;
  status: ExecutionStatus;
  template: T;
  /** when it was asked for; once it runs, when its command was started */
  startTime: string;
  endTime: string | undefined;
  /** process group of the running command; undefined until it is started */
  pid: number | undefined;
  /** start time of that process in the system's own terms, since process ids are reused */
  pidStart: string | undefined;
}

export interface Executions<T> {
  /** On disk when it returns. */
  create(execution: StoredExecution<T>): void;
  get(job: string, name: string): StoredExecution<T> | undefined;
  /** newest first */
  list(job: string): StoredExecution<T>[];
  /** not ended, oldest first */
  open(): StoredExecution<T>[];
  countOpen(job: string): number;
  /** Notes the process of an execution, which is Running from now on. */
  started(name: string, process: { pid: number; pidStart: string | undefined }, startTime: string): void;
  /** Ends an execution; false when it had ended before: ended states never change. */
  ended(name: string, status: ExecutionStatus, endTime: string): boolean;
  /** Forgets old ended executions of a job and returns their names, so that their files can go too. */
  prune(job: string): string[];
  close(): void;
}

interface Row {
  name: string;
  job: string;
  status: string;
  template: string;
  startTime: string;
  endTime: string | null;
  pid: number | null;
  pidStart: string | null;
}

const parse = <T>(row: Row): StoredExecution<T> => ({
  name: row.name,
  job: row.job,
  status: row.status as ExecutionStatus,
  template: JSON.parse(row.template) as T,
  startTime: row.startTime,
  endTime: row.endTime ?? undefined,
  pid: row.pid ?? undefined,
  pidStart: row.pidStart ?? undefined,
});
const rows = <T>(found: unknown[]) => (found as Row[]).map(parse<T>);

/** Opens (or makes) the file. */
export function openExecutions<T>(file: string): Executions<T> {
  const database = new DatabaseSync(file);
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000;
    CREATE TABLE IF NOT EXISTS executions (
      sequence INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, job TEXT NOT NULL, status TEXT NOT NULL,
      template TEXT NOT NULL, startTime TEXT NOT NULL, endTime TEXT, pid INTEGER, pidStart TEXT) STRICT;
    CREATE INDEX IF NOT EXISTS byJob ON executions (job, sequence);`);
  const insert = database.prepare(
    'INSERT INTO executions (name, job, status, template, startTime) VALUES (?, ?, ?, ?, ?)',
  );
  const one = database.prepare('SELECT * FROM executions WHERE job = ? AND name = ?');
  const ofJob = database.prepare('SELECT * FROM executions WHERE job = ? ORDER BY sequence DESC');
  const open = database.prepare('SELECT * FROM executions WHERE endTime IS NULL ORDER BY sequence');
  const openCount = database.prepare('SELECT count(*) AS n FROM executions WHERE job = ? AND endTime IS NULL');
  const start = database.prepare(
    "UPDATE executions SET status = 'Running', pid = ?, pidStart = ?, startTime = ? WHERE name = ?",
  );
  const end = database.prepare('UPDATE executions SET status = ?, endTime = ? WHERE name = ? AND endTime IS NULL');
  const prune = database.prepare(`DELETE FROM executions WHERE endTime IS NOT NULL AND job = ? AND sequence <=
    (SELECT sequence FROM executions WHERE job = ? ORDER BY sequence DESC LIMIT 1 OFFSET ?) RETURNING name`);

  return {
    create: (e) => void insert.run(e.name, e.job, e.status, JSON.stringify(e.template), e.startTime),
    get: (job, name) => rows<T>(one.all(job, name))[0],
    list: (job) => rows(ofJob.all(job)),
    open: () => rows(open.all()),
    countOpen: (job) => Number(openCount.get(job)?.['n']),
    started: (name, { pid, pidStart }, startTime) => void start.run(pid, pidStart ?? null, startTime, name),
    ended: (name, status, endTime) => Number(end.run(status, endTime, name).changes) === 1,
    prune: (job) => (prune.all(job, job, keptPerJob) as { name: string }[]).map(({ name }) => name),
    close: () => database.close(),
  };
}
