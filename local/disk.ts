/** Disks that take no more: what every local store says then, so that whoever wrote knows that nothing was kept. */

/** SQLite's primary result codes for a disk that is full or fails (https://sqlite.org/rescode.html): IOERR, FULL */
const sqliteCodes = new Set([10, 13]);
const systemCodes = new Set(['ENOSPC', 'EDQUOT', 'EFBIG', 'EIO']);

/** Why the disk refused a write; undefined when an error is about something else. */
export function diskRefusal(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  // the lowest byte of an extended code is its primary code
  const isDisk = typeof errcode === 'number' ? sqliteCodes.has(errcode & 0xff) : systemCodes.has(String(code));
  if (!isDisk) return undefined;
  return `The disk takes no more (${error.message}). Nothing of this was kept: make room, then repeat it.`;
}
