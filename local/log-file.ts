/** A log file that stays small: when it is full it is set aside, and the one set aside before is gone. */
import { createWriteStream, openSync, renameSync, statSync, type WriteStream } from 'node:fs';

const defaultMaxBytes = 50 * 1024 * 1024;
/** a disk that refused a line is tried again this much later */
const reopenAfterMs = 1000;

/**
 * Appends lines to `file`; beyond `maxBytes` it is renamed to `file.1` and begun anew, so that both take twice as much
 * at most. A disk that takes no more loses lines, never the process: `onProblem` is told once, and writing goes on when
 * there is room again.
 */
export function createLogFile(
  file: string,
  onProblem: (error: Error) => void,
  maxBytes = defaultMaxBytes,
): { write(line: string): void; close(): Promise<void> } {
  let sizeBytes = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  let told = false;
  let brokenAt = 0;
  const fail = (error: unknown): void => {
    brokenAt = performance.now();
    if (!told) onProblem(error instanceof Error ? error : new Error(String(error)));
    told = true;
  };
  // opened at once: a stream that opens its file later would open what has been renamed meanwhile
  const open = (): WriteStream | undefined => {
    try {
      return createWriteStream(file, { fd: openSync(file, 'a') }).on('error', fail);
    } catch (error) {
      fail(error);
      return undefined;
    }
  };
  let stream = open();
  return {
    write(line) {
      if (stream === undefined || stream.destroyed) {
        if (performance.now() - brokenAt < reopenAfterMs) return;
        stream = open();
        // the line that was cut off ends here
        stream?.write('\n');
      }
      const bytes = Buffer.from(`${line}\n`);
      if (sizeBytes > 0 && sizeBytes + bytes.length > maxBytes) {
        // what the old stream still has to write follows the file to its new name
        stream?.end();
        if (statSync(file, { throwIfNoEntry: false }) !== undefined) renameSync(file, `${file}.1`);
        stream = open();
        sizeBytes = 0;
      }
      sizeBytes += bytes.length;
      stream?.write(bytes);
    },
    close: () =>
      new Promise((resolve) => {
        if (stream === undefined || stream.closed || stream.errored) resolve();
        else stream.end(() => resolve());
      }),
  };
}
