/** Questions to and signals for a group of processes, by the id of its leader. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

const linux = process.platform === 'linux';

function ps(...args: string[]): string {
  try {
    return execFileSync('ps', args, { encoding: 'utf8', timeout: 5_000 });
  } catch {
    return '';
  }
}

/** Fields of /proc/PID/stat after the command, which may contain anything: [0] state, [2] group, [19] start time (proc(5)). */
function stat(pid: number | string): string[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}

/** When a process was started, in the system's own terms; undefined when there is none (or a zombie is left of it). */
export function startOf(pid: number): string | undefined {
  if (!linux) return ps('-o', 'lstart=', '-p', String(pid)).trim() || undefined;
  const fields = stat(pid);
  return fields[0] === 'Z' ? undefined : fields[19];
}

/** Memory in use by all processes of a group, in bytes; memory they share counts more than once. */
export function residentBytes(group: number): number {
  if (!linux) {
    const lines = ps('-A', '-o', 'pgid=,rss=').split('\n');
    const members = lines.map((line) => line.trim().split(/\s+/)).filter(([pgid]) => Number(pgid) === group);
    return members.reduce((sum, [, rss]) => sum + Number(rss) * 1024, 0);
  }
  let sum = 0;
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid) || Number(stat(pid)[2]) !== group) continue;
    try {
      sum += Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0) * 1024;
    } catch {
      // it ended in the meantime
    }
  }
  return sum;
}

/** Sends a signal to all processes of a group; a group that is gone is no error. */
export function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch {
    // all its processes have ended
  }
}
