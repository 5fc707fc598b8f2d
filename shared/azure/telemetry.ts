/** One structured record per finished stage. */
import type { Telemetry } from '../ports.ts';

/** Writes records as JSON lines to the log, which the Functions host hands to Application Insights. */
export function structuredTelemetry(now: () => Date): Telemetry {
  const write = (event: string, fields: Record<string, unknown>) =>
    console.log(JSON.stringify({ event, at: now().toISOString(), ...fields }));
  return {
    stage: (record) => write('pipeline.stage', { ...record }),
    metric: (name, value, attributes) => write('pipeline.metric', { name, value, attributes }),
    problem: (message, attributes) => write('pipeline.problem', { message, attributes }),
  };
}
