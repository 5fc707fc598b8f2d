/** Telemetry to Application Insights; without its connection string, JSON lines in the log. */
import type { Config } from '../config.ts';
import type { Telemetry } from '../ports.ts';
import { withoutSecrets } from '../secrets.ts';
import { onFirstUse } from './on-first-use.ts';

export interface FlushableTelemetry extends Telemetry {
  /** Sends what is waiting; resolves also when it cannot be delivered. */
  flush(): Promise<void>;
}

/** The SDK takes a quarter of a second to load: what is told waits this long, so that the first request is answered before. */
const loadsAfterMs = 500;
/** more than a process tells until the SDK is loaded */
const maxWaiting = 10_000;

/** Telemetry to Application Insights if the settings name it: its SDK is loaded after there is something to tell. */
export function createTelemetry(config: Config, now: () => Date): FlushableTelemetry {
  const { connectionString, authentication } = config.insights;
  const log = { ...logTelemetry(now), flush: () => Promise.resolve() };
  if (connectionString === undefined) return log;
  const load = onFirstUse(async () =>
    (await import('./insights.ts')).connectInsights(connectionString, authentication),
  );
  const waiting: ((telemetry: Telemetry) => void)[] = [];
  let ready: FlushableTelemetry | undefined;
  const insights = async (): Promise<FlushableTelemetry> => {
    // telemetry never fails its caller
    ready ??= await load().catch((error: unknown) => {
      log.problem(`Application Insights cannot be used: ${String(error)}`);
      return undefined;
    });
    const telemetry = ready ?? log;
    for (const tell of waiting.splice(0)) tell(telemetry);
    return telemetry;
  };
  const told = (tell: (telemetry: Telemetry) => void): void => {
    if (ready !== undefined) return tell(ready);
    if (waiting.length < maxWaiting) waiting.push(tell);
    if (waiting.length === 1) setTimeout(() => void insights(), loadsAfterMs).unref();
  };
  return {
    span: async (...call) => (await insights()).span(...call),
    stage: (record) => told((telemetry) => telemetry.stage(record)),
    metric: (...call) => told((telemetry) => telemetry.metric(...call)),
    problem: (...call) => told((telemetry) => telemetry.problem(...call)),
    flush: async () => (ready === undefined && waiting.length === 0 ? undefined : (await insights()).flush()),
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
