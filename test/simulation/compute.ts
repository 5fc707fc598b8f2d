/** Training jobs as Container Apps runs them: executions with a state, found by name, stopped on request. */
import type { Compute, Execution } from '../../shared/ports.ts';
import type { Faults } from './faults.ts';
import type { Process, Scheduler } from './scheduler.ts';

/** What an execution runs; resolves with its exit code. */
export type Program = (environment: Record<string, string>, execution: string) => Promise<number>;

type ComputeScheduler = Pick<Scheduler, 'perform' | 'after' | 'within' | 'kill' | 'random'>;

interface Job {
  execution: Execution;
  process: Process;
}

export interface Cluster {
  port: Compute;
  /** by name; what is taken out is forgotten, as Container Apps forgets executions of long ago */
  executions: Map<string, Execution>;
  /** executions that the backend asked to stop */
  stopped: Set<string>;
}

/** A job that is asked to end is killed after this long. */
const graceMs = 30_000;
const preempted = 0.3;
const killed = 0.6;

/** Creates a cluster that runs `program` for every execution. */
export function createCluster(
  scheduler: ComputeScheduler,
  faults: Faults,
  clock: () => number,
  program: Program,
): Cluster {
  const executions = new Map<string, Execution>();
  const jobs = new Map<string, Job>();
  const stopped = new Set<string>();
  const newProcess = (name: string): Process => ({ name, alive: true, skewMs: 0, onDeath: new Set() });
  const end = (job: Job, state: Execution['state']): void => {
    if (job.execution.state === 'running' || job.execution.state === 'pending') job.execution.state = state;
  };
  const runReplica = (job: Job): void => {
    const { process, execution } = job;
    void scheduler
      .within({ process, handler: 'job', kind: 'client' }, () => program(execution.environment, execution.name))
      .then((code) => end(job, code === 0 ? 'succeeded' : 'failed'))
      .catch(() => end(job, 'failed'));
  };
  /** Machines go away: the job is killed for good, or begins anew elsewhere under the same name. */
  const disturb = (job: Job): void => {
    if (!faults.strikes(faults.rates.oddJob)) return;
    const dice = scheduler.random.next();
    if (dice > killed) return;
    scheduler.after(scheduler.random.next() * 120_000, () => {
      if (job.execution.state !== 'running') return;
      scheduler.kill(job.process, dice < preempted ? 'preempted' : 'killed');
      if (dice >= preempted) return end(job, 'failed');
      job.process = newProcess(`${job.execution.name}'`);
      scheduler.after(scheduler.random.next() * 60_000, () => {
        if (job.execution.state === 'running') runReplica(job);
      });
    });
  };
  const begin = (environment: Record<string, string>): Execution => {
    const name = `trainer-${jobs.size + 1}`;
    const execution: Execution = { name, state: 'pending', environment, startedAt: undefined };
    const job = { execution, process: newProcess(name) };
    jobs.set(name, job);
    executions.set(name, execution);
    scheduler.after(200 + scheduler.random.next() * 8000, () => {
      if (execution.state !== 'pending') return;
      execution.state = 'running';
      execution.startedAt = new Date(clock()).toISOString();
      runReplica(job);
      disturb(job);
    });
    return execution;
  };
  const port: Compute = {
    start: (environment) =>
      scheduler.perform('start compute', environment['DARKROOM_RUN'] ?? '', 'once', () => ({
        execution: begin({ ...environment }).name,
      })),
    list: () =>
      scheduler.perform('list compute', '', 'read', () => [...executions.values()].map((one) => ({ ...one }))),
    get: (name) =>
      scheduler.perform('get compute', name, 'read', () => {
        const execution = executions.get(name);
        return execution === undefined ? undefined : { ...execution };
      }),
    stop: (name) =>
      scheduler.perform('stop compute', name, 'write', () => {
        const job = jobs.get(name);
        if (job === undefined) return;
        stopped.add(name);
        if (job.execution.state === 'pending') end(job, 'stopped');
        scheduler.after(scheduler.random.next() * graceMs, () => {
          if (job.execution.state !== 'running') return;
          scheduler.kill(job.process, 'stopped');
          end(job, 'stopped');
        });
      }),
  };
  return { port, stopped, executions };
}
