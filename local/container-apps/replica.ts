/** One running execution: a group of processes with limits of time and memory, and a log file. */
import { spawn } from 'node:child_process';
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { residentBytes, signalGroup, startOf } from './process-group.ts';

const watchEveryMs = 500;
/**
 * Runs the command and leaves its exit code in a file, so that it is known even when this service was killed and a
 * new one has taken over. The move makes the file appear whole.
 */
const shell =
  '"$@"; code=$?; echo "$code" > "$DARKROOM_EXIT_FILE.new" && mv "$DARKROOM_EXIT_FILE.new" "$DARKROOM_EXIT_FILE"; exit "$code"';

export interface ReplicaLimits {
  memoryMb: number;
  /** when the execution is ended by force, in milliseconds since 1970 */
  deadlineMs: number;
  /** between SIGTERM and SIGKILL */
  stopGraceMs: number;
}

export interface Replica {
  pid: number;
  pidStart: string | undefined;
  /** Asks the processes to end and kills them after the grace. */
  stop(): void;
}

export interface Launch {
  command: string[];
  cwd: string;
  environment: Record<string, string>;
  /** folder of this execution: `log` (stdout and stderr) and `exit` (exit code) */
  folder: string;
}

/** Most of a log that is shown. */
const maxShownBytes = 1024 * 1024;

/** The end of what the command wrote; empty before it was started. */
export function logIn(folder: string): string {
  try {
    const log = openSync(join(folder, 'log'), 'r');
    try {
      const bytes = Buffer.alloc(maxShownBytes);
      const from = Math.max(0, fstatSync(log).size - maxShownBytes);
      return bytes.toString('utf8', 0, readSync(log, bytes, 0, maxShownBytes, from));
    } finally {
      closeSync(log);
    }
  } catch {
    return '';
  }
}

/** Exit code that the command left, or undefined when it was killed or still runs. */
export function exitCodeIn(folder: string): number | undefined {
  try {
    return Number(readFileSync(join(folder, 'exit'), 'utf8').trim());
  } catch {
    return undefined;
  }
}

/**
 * Starts the command in a process group of its own, so that it outlives a killed service.
 * Throws when it cannot be started. `onEnd` is called once, when the group's leader has ended.
 */
export function launch(what: Launch, limits: ReplicaLimits, onEnd: (exitCode: number | undefined) => void): Replica {
  mkdirSync(what.folder, { recursive: true });
  const log = openSync(join(what.folder, 'log'), 'a');
  try {
    const child = spawn('/bin/sh', ['-c', shell, 'sh', ...what.command], {
      cwd: what.cwd,
      env: { ...what.environment, DARKROOM_EXIT_FILE: join(what.folder, 'exit') },
      stdio: ['ignore', log, log],
      detached: true,
    });
    // a start that failed has no process id; the throw below reports it
    child.on('error', () => undefined);
    const { pid } = child;
    if (pid === undefined) throw new Error(`${what.command[0]} cannot be started in ${what.cwd}`);
    return watch(pid, startOf(pid), limits, what.folder, onEnd);
  } finally {
    closeSync(log);
  }
}

/** Watches processes that this or a former service started: their end, their memory and their time. */
export function watch(
  pid: number,
  pidStart: string | undefined,
  limits: ReplicaLimits,
  folder: string,
  onEnd: (exitCode: number | undefined) => void,
): Replica {
  let killTimer: NodeJS.Timeout | undefined;
  const stop = () => {
    if (killTimer !== undefined) return;
    signalGroup(pid, 'SIGTERM');
    killTimer = setTimeout(() => signalGroup(pid, 'SIGKILL'), limits.stopGraceMs);
  };
  let ticks = 0;
  // a short pause at first: many commands of tests end at once
  const tick = () => {
    ticks += 1;
    if (startOf(pid) !== pidStart || pidStart === undefined) {
      clearTimeout(killTimer);
      // whatever the leader left behind in its group goes with it, as in a container
      signalGroup(pid, 'SIGKILL');
      onEnd(exitCodeIn(folder));
      return;
    }
    if (Date.now() > limits.deadlineMs) stop();
    // no grace: a container above its memory limit is killed at once
    if (residentBytes(pid) > limits.memoryMb * 1024 * 1024) signalGroup(pid, 'SIGKILL');
    setTimeout(tick, ticks < 20 ? 50 : watchEveryMs);
  };
  setTimeout(tick, 20);
  return { pid, pidStart, stop };
}
