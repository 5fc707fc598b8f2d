/** One try of a job by a trainer that is nothing but a command line. */
import { spawn } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { type JobOrder, publishJob, type PublishedJob } from './job.ts';
import { startStorage, type Storage } from './storage.ts';

/** The trainer that is tried, and the jobs that it is given. */
export interface Subject extends Pick<JobOrder, 'task' | 'image' | 'parameters' | 'trainer'> {
  /** for `/bin/sh`, run where this process runs; all that it is given is DARKROOM_JOB_URL */
  command: string;
  /** parameters of a training that lasts a minute or more; undefined: it has none */
  lasting?: JobOrder['parameters'] | undefined;
  /** whether it decodes pictures: one that brings a model of its own may only fetch them */
  decodes: boolean;
}

export interface Ended {
  /** null: it was killed */
  code: number | null;
  /** it did not end by itself in the time that it was given */
  overdue: boolean;
  /** the last that it printed, errors included */
  said: string;
  /** what it printed without errors, from its beginning */
  output: string;
}

export interface Attempt {
  storage: Storage;
  job: PublishedJob;
  /** Waits for a condition, an end or two minutes; whether the condition holds. */
  until(condition: () => boolean): Promise<boolean>;
  /** What compute does to a machine that it takes away. */
  terminate(): void;
  /** Waits for its end, so many seconds at most, after which it is killed. */
  end(withinSeconds: number): Promise<Ended>;
}

const keptSaid = 2000;
const keptOutput = 100_000;
const lookMs = 20;
/** a trainer that loads a large library needs seconds to begin, and more on a busy machine */
const untilMs = 120_000;

function environmentOf(url: string, more: Record<string, string>): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(DARKROOM_|CONTAINER_APP_)/.test(name));
  return { ...Object.fromEntries(inherited), DARKROOM_JOB_URL: url, ...more };
}

/** Starts a command of /bin/sh in a process group of its own. */
export function startProgram(command: string, url: string, more: Record<string, string> = {}) {
  const child = spawn('/bin/sh', ['-c', command], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environmentOf(url, more),
  });
  let said = '';
  let output = '';
  let ended: number | null | undefined;
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-keptSaid)));
  child.stdout.on('data', (text: string) => (output = (output + text).slice(0, keptOutput)));
  const closed = new Promise<void>((resolve) => {
    child.on('error', (error) => (said += error.message));
    child.on('close', (code) => {
      ended = code;
      resolve();
    });
  });
  const signal = (name: 'SIGTERM' | 'SIGKILL'): void => {
    try {
      process.kill(-(child.pid ?? 0), name);
    } catch {
      // nobody is left of the group
    }
  };
  return {
    signal,
    hasEnded: () => ended !== undefined,
    async end(withinSeconds: number): Promise<Ended> {
      const timer = setTimeout(() => signal('SIGKILL'), withinSeconds * 1000);
      const startedAt = performance.now();
      await closed;
      clearTimeout(timer);
      return { code: ended ?? null, overdue: performance.now() - startedAt >= withinSeconds * 1000, said, output };
    },
  };
}

export interface AttemptOrder extends Omit<JobOrder, keyof Subject>, Partial<Pick<JobOrder, 'parameters' | 'task'>> {
  /** of an earlier attempt, to go on with */
  storage?: Storage;
  /** before the program starts */
  prepare?: (storage: Storage, job: PublishedJob) => unknown;
  environment?: Record<string, string>;
  /** how the command is wrapped, e.g. to limit what it may use */
  wrap?: (command: string) => string;
}

/** Publishes a job, starts the trainer on it, and hands both to `judge`. Whatever is left of the trainer then is killed. */
export async function attempt<T>(
  subject: Subject,
  order: AttemptOrder,
  judge: (attempt: Attempt) => Promise<T>,
): Promise<T> {
  const { storage: earlier, prepare, environment, wrap = (command) => command, ...jobOrder } = order;
  const storage = earlier ?? (await startStorage());
  const job = publishJob(storage, { ...subject, ...jobOrder });
  prepare?.(storage, job);
  const program = startProgram(wrap(subject.command), job.url, environment);
  try {
    return await judge({
      storage,
      job,
      async until(condition) {
        for (let waitedMs = 0; waitedMs < untilMs; waitedMs += lookMs) {
          if (condition()) return true;
          if (program.hasEnded()) return false;
          await pause(lookMs);
        }
        return false;
      },
      terminate: () => program.signal('SIGTERM'),
      end: (withinSeconds) => program.end(withinSeconds),
    });
  } finally {
    program.signal('SIGKILL');
    if (earlier === undefined) await storage.close();
  }
}
