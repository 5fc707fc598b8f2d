/** The compute that a training runs on: the one that its project chose (`trainer.compute`), else that of everybody. */
import { TerminalError } from '../errors.ts';
import type { Compute, Ports } from '../ports.ts';
import { type ComputeName, usualCompute } from '../project/settings.ts';
import type { Reason } from '../task/task.ts';

export type ComputePorts = Pick<Ports, 'compute' | 'otherComputes'>;
type Chosen = { trainer: { compute?: ComputeName | undefined } };

/**
 * A job that does not begin within this time never will: compute is stuck. A cluster has a queue of its own, makes machines
 * when they are needed, and refuses nothing for want of one.
 */
const startSeconds: Record<ComputeName, number> = { 'container-apps': 900, 'azure-ml': 7200 };

/** Seconds in which a job has to begin after it was asked for. */
export const startTimeoutSeconds = ({ trainer }: Chosen): number => startSeconds[trainer.compute ?? usualCompute];

/** Why nothing can train where a project wants it to; undefined: it can. */
export function missingCompute(ports: Pick<Ports, 'otherComputes'>, { trainer }: Chosen): Reason | undefined {
  const name = trainer.compute ?? usualCompute;
  if (name === usualCompute || ports.otherComputes?.[name] !== undefined) return undefined;
  return {
    code: 'compute-unavailable',
    detail: `The project's setting trainer.compute is "${name}", and this environment has none: deploy it with machineLearning (docs/deploy.md), or set trainer.compute to "${usualCompute}".`,
  };
}

/** The compute of a run. Where the environment has it no more, its executions are gone and a start is a TerminalError. */
export function computeOf(ports: ComputePorts, run: Chosen): Compute {
  const missing = missingCompute(ports, run);
  if (missing !== undefined) return withoutMachines(missing);
  return ports.otherComputes?.[run.trainer.compute ?? usualCompute] ?? ports.compute;
}

const withoutMachines = ({ code, detail }: Reason): Compute => ({
  start: () => Promise.reject(new TerminalError(code, detail)),
  list: () => Promise.resolve([]),
  get: () => Promise.resolve(undefined),
  stop: () => Promise.resolve(),
});
