/**
 * Disks that are full or that stall, as one running process meets them, without being root: a limit on the size of its
 * files fails every write that would grow one (EFBIG), and a stopped process is what a write that hangs makes of a
 * single-threaded store. Linux only.
 */
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

/** smaller than any file that a store writes to */
const fullBytes = 4096;

const limitFiles = (pid: number, size: string): void => {
  execFileSync('prlimit', ['--pid', String(pid), `--fsize=${size}:`]);
};

/** From now on the process's disk takes nothing more. */
export const fillDisk = (pid: number): void => limitFiles(pid, String(fullBytes));

/** There is room again. */
export const makeRoom = (pid: number): void => limitFiles(pid, 'unlimited');

/** The process hangs in whatever it does for so long. */
export async function stall(pid: number, milliseconds: number): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  await sleep(milliseconds);
  process.kill(pid, 'SIGCONT');
}
