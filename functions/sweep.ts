/** The one timer. */
import type { TimerFunctionOptions } from '@azure/functions';
import { sweep, type SweepPorts } from '../shared/project/sweep.ts';

/** Heals what no redelivery has healed. */
export const sweepFunction = (ports: SweepPorts): TimerFunctionOptions => ({
  schedule: '%SWEEP_SCHEDULE%',
  handler: async (_timer, { invocationId }) => {
    const startedAt = ports.clock.now().getTime();
    const { projects, resent, problems } = await ports.telemetry.span('sweep', undefined, () => sweep(ports));
    ports.telemetry.stage({
      ...{ stage: 'sweep', project: '', outcome: problems.length === 0 ? 'healed' : 'problems' },
      durationMs: ports.clock.now().getTime() - startedAt,
      ids: { projects: String(projects), resent: String(resent), invocation: invocationId },
    });
  },
});
