/** Loads and runs a model where neither a crash nor an endless loop nor its memory can hurt us. */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import type { ModelEnds } from './ends.ts';

/** 'not-started' says nothing about the model: the machine could not start another process. */
type Probe =
  | { ok: true }
  | {
      ok: false;
      reason: 'refused' | `no-${string}` | 'crashed' | 'timeout' | 'memory' | 'not-started';
      detail: string;
    };

export interface ProbeLimits {
  timeoutMs: number;
  /** resident memory of the child; watched where /proc exists */
  maxMemoryBytes: number;
}

/** What the child says; `no`: the model runs, and these are not what it answers. */
const answerLine = z.object({ ok: z.boolean(), no: z.string().optional(), detail: z.string() });
export type Answer = z.infer<typeof answerLine>;
const maxAnswerBytes = 4096;
const memoryCheckMs = 50;
const pageBytes = 4096;

/** Resident memory of a process in bytes; 0 where the system does not say. */
async function residentBytes(pid: number | undefined): Promise<number> {
  try {
    const fields = (await readFile(`/proc/${pid}/statm`, 'utf8')).split(' ');
    return Number(fields[1]) * pageBytes;
  } catch {
    return 0;
  }
}

function read(stdout: string, code: number | null, signal: NodeJS.Signals | null): Probe {
  try {
    const answer = answerLine.parse(JSON.parse(stdout));
    if (answer.ok && code === 0) return { ok: true };
    const reason = answer.ok ? 'crashed' : answer.no === undefined ? 'refused' : (`no-${answer.no}` as const);
    return { ok: false, reason, detail: answer.detail || `exit code ${code}` };
  } catch {
    return { ok: false, reason: 'crashed', detail: `no answer, exit code ${code}, signal ${signal}` };
  }
}

function watch(child: ChildProcess, limits: ProbeLimits): Promise<Probe> {
  return new Promise((resolve) => {
    let stdout = '';
    let verdict: Probe | undefined;
    const kill = (reason: 'timeout' | 'memory', detail: string): void => {
      verdict ??= { ok: false, reason, detail };
      child.kill('SIGKILL');
    };
    const timer = setTimeout(() => kill('timeout', `no answer within ${limits.timeoutMs} ms`), limits.timeoutMs);
    const memory = setInterval(() => {
      void residentBytes(child.pid).then((bytes) => {
        if (bytes > limits.maxMemoryBytes) kill('memory', `more than ${limits.maxMemoryBytes} bytes of memory`);
      });
    }, memoryCheckMs);
    child.stdout?.on('data', (part: Buffer) => {
      if (stdout.length < maxAnswerBytes) stdout += part.toString('utf8');
    });
    // a child that ends before it has read everything breaks the pipe; its exit tells the story
    child.stdin?.on('error', () => undefined);
    const end = (result: Probe): void => {
      clearTimeout(timer);
      clearInterval(memory);
      resolve(verdict ?? result);
    };
    child.on('error', (error) => end({ ok: false, reason: 'not-started', detail: error.message }));
    child.on('close', (code, signal) => end(read(stdout, code, signal)));
  });
}

/** Begins the child; text says why there is none: Node throws for some causes, and tells of others by an event. */
function start(entry: string, given: readonly (string | number)[]): ChildProcess | string {
  try {
    return spawn(process.execPath, [entry, ...given.map(String)], {
      stdio: ['pipe', 'pipe', 'ignore'],
      // a model gets no secrets to look at, and the runtime tells nobody
      env: { PATH: process.env['PATH'] ?? '', ORT_DISABLE_TELEMETRY: '1' },
    });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/**
 * Runs a validated model in a child process. `entry` is the path of the probe-child program: the .ts file when sources
 * run directly, its own bundled file in a deployment. Resolves always.
 */
export async function probeModel(
  bytes: Uint8Array,
  ends: ModelEnds,
  entry: string,
  limits: ProbeLimits,
): Promise<Probe> {
  const child = start(entry, [JSON.stringify(ends), bytes.length, limits.timeoutMs]);
  if (typeof child === 'string') return { ok: false, reason: 'not-started', detail: child };
  const verdict = watch(child, limits);
  // a process that has used up its file handles (EMFILE) gets a child without pipes, and then its error
  child.stdin?.end(bytes);
  return verdict;
}
