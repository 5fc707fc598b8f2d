/** One platform at a time works in a data folder: two would destroy each other's files. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** SQLite's SQLITE_BUSY: another connection, of this process or of another, has the lock */
const busy = 5;

/**
 * Takes a folder, which is made where it is missing, until `close`. The lock is one of the operating system's, held
 * through SQLite: it ends with its process, however that ends, so none is ever left behind.
 * Throws, before anything is touched, when another platform has the folder.
 */
export async function takeDataFolder(dataDir: string): Promise<{ close(): Promise<void> }> {
  await mkdir(dataDir, { recursive: true });
  const pidFile = path.join(dataDir, 'platform.pid');
  const lock = new DatabaseSync(path.join(dataDir, 'platform.lock'));
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if ((error as { errcode?: unknown }).errcode !== busy) throw error;
    const pid = (await readFile(pidFile, 'utf8').catch(() => '')).trim();
    throw new Error(
      `Another platform${pid === '' ? '' : ` (process ${pid})`} uses the data folder ${dataDir}: stop it first, or choose another folder with dataDir`,
      { cause: error },
    );
  }
  // for people only; a disk that is full is the services' business
  await writeFile(pidFile, `${process.pid}\n`).catch(() => undefined);
  return {
    async close() {
      lock.close();
    },
  };
}
