/** Telemetry as the local ingestion endpoint keeps it, in the shape of the tables that the workbook asks. */
import * as z from 'zod';

export interface Event {
  at: number;
  name: string;
  is: Record<string, string>;
}
export interface Metric {
  at: number;
  name: string;
  is: Record<string, string>;
  count: number;
  sum: number;
  max: number;
}

const properties = z.record(z.string(), z.string()).default({});
const envelope = z.looseObject({
  time: z.iso.datetime(),
  data: z.looseObject({ baseType: z.string(), baseData: z.unknown() }),
});
const event = z.looseObject({ name: z.string(), properties });
const metric = z.looseObject({
  properties,
  metrics: z.array(
    z.looseObject({ name: z.string(), value: z.number(), count: z.number().optional(), max: z.number().optional() }),
  ),
});

/** Events and metrics of NDJSON, in the order of their times. */
export function readRecords(ndjson: string): { events: Event[]; metrics: Metric[] } {
  const events: Event[] = [];
  const metrics: Metric[] = [];
  for (const line of ndjson.trim().split('\n')) {
    const { time, data } = envelope.parse(JSON.parse(line));
    const at = Date.parse(time);
    if (data.baseType === 'EventData') {
      const { name, properties: is } = event.parse(data.baseData);
      events.push({ at, name, is });
    } else if (data.baseType === 'MetricData') {
      const { properties: is, metrics: values } = metric.parse(data.baseData);
      for (const { name, value, count = 1, max = value } of values)
        metrics.push({ at, name, is, count, sum: value, max });
    }
  }
  return { events: events.sort((a, b) => a.at - b.at), metrics: metrics.sort((a, b) => a.at - b.at) };
}
