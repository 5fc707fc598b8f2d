/** Telemetry to Application Insights; without its connection string, JSON lines in the log. */
import type { Config } from '../config.ts';
import type { Telemetry } from '../ports.ts';
import { withoutSecrets } from '../secrets.ts';
import { onFirstUse } from './on-first-use.ts';

export interface FlushableTelemetry extends Telemetry {
  /** Sends what is waiting; resolves also when it cannot be delivered. */
  flush(): Promise<void>;
}

/** Telemetry to Application Insights if the settings name it: its SDK is loaded when there is something to tell. */
export function createTelemetry(config: Config, now: () => Date): FlushableTelemetry {
  const { connectionString, authentication } = config.insights;
  const log = { ...logTelemetry(now), flush: () => Promise.resolve() };
  if (connectionString === undefined) return log;
  let isUsed = false;
  const load = onFirstUse(async () =>
    (await import('./insights.ts')).connectInsights(connectionString, authentication),
  );
  const insights = (): Promise<FlushableTelemetry> => {
    isUsed = true;
    // telemetry never fails its caller
    return load().catch((error: unknown) => {
      log.problem(`Application Insights cannot be used: ${String(error)}`);
      return log;
    });
  };
  return {
    span: async (...call) => (await insights()).span(...call),
    stage: (record) => void insights().then((telemetry) => telemetry.stage(record)),
    metric: (...call) => void insights().then((telemetry) => telemetry.metric(...call)),
    problem: (...call) => void insights().then((telemetry) => telemetry.problem(...call)),
    flush: async () => (isUsed ? (await insights()).flush() : undefined),
  };
}

/** One JSON line per record, for people without Application Insights. Spans only pass their parent on. */
export function logTelemetry(now: () => Date): Telemetry {
  const write = (event: string, fields: Record<string, unknown>) =>
    console.log(withoutSecrets(JSON.stringify({ event, at: now().toISOString(), ...fields })));
  return {
    span: (_name, parent, work) => work(parent),
    stage: (record) => write('pipeline.stage', { ...record }),
    metric: (name, value, attributes) => write('pipeline.metric', { name, value, attributes }),
    problem: (message, attributes) => write('pipeline.problem', { message, attributes }),
  };
}
