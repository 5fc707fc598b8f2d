/** A log file that stays small: when it is full it is set aside, and the one set aside before is gone. */
import { createWriteStream, renameSync, statSync, type WriteStream } from 'node:fs';

const defaultMaxBytes = 50 * 1024 * 1024;

/**
 * Appends lines to `file`; beyond `maxBytes` it is renamed to `file.1` and begun anew, so that both take twice as much
 * at most. A disk that takes no more loses lines, never the process: `onProblem` is told once.
 */
export function createLogFile(
  file: string,
  onProblem: (error: Error) => void,
  maxBytes = defaultMaxBytes,
): { write(line: string): void; close(): Promise<void> } {
  let sizeBytes = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  let told = false;
  const open = (): WriteStream =>
    createWriteStream(file, { flags: 'a' }).on('error', (error) => {
      if (!told) onProblem(error);
      told = true;
    });
  let stream = open();
  return {
    write(line) {
      const bytes = Buffer.from(`${line}\n`);
      if (sizeBytes > 0 && sizeBytes + bytes.length > maxBytes) {
        // what the old stream still has to write follows the file to its new name
        stream.end();
        if (statSync(file, { throwIfNoEntry: false }) !== undefined) renameSync(file, `${file}.1`);
        stream = open();
        sizeBytes = 0;
      }
      sizeBytes += bytes.length;
      stream.write(bytes);
    },
    close: () => new Promise((resolve) => (stream.closed || stream.errored ? resolve() : stream.end(() => resolve()))),
  };
}
