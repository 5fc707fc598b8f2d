/** Every alert rule of the template against series and records: does it fire when it should, and only then? */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { type Row, runQuery } from './kql.ts';
import { ofType, resourcesOf } from './templates.ts';

/** By metric and queue a value for each minute; test/fixtures/record-queue-metrics.ts recorded it on the local broker. */
const series = z.record(z.string(), z.record(z.string(), z.array(z.number())));
type Series = z.infer<typeof series>;
const recorded = z
  .record(z.string(), series)
  .parse(JSON.parse(readFileSync(path.join(import.meta.dirname, '../fixtures/queue-metrics.json'), 'utf8')));

const minutes = z
  .string()
  .regex(/^P(T\d+[MH]|\d+D)$/)
  .transform(
    (text) => Number.parseInt(text.replace(/^PT?/, '')) * ({ M: 1, H: 60, D: 1440 }[text.at(-1) ?? ''] ?? NaN),
  );
const criterion = z.strictObject({
  criterionType: z.literal('StaticThresholdCriterion'),
  name: z.string(),
  metricNamespace: z.string(),
  metricName: z.string(),
  dimensions: z.array(z.object({ name: z.string(), operator: z.literal('Include'), values: z.array(z.string()) })),
  timeAggregation: z.enum(['Minimum', 'Total']),
  operator: z.literal('GreaterThan'),
  threshold: z.number(),
  // or a metric that a new app has not emitted yet is refused as unknown
  skipMetricValidation: z.literal(true),
});
const rule = z.object({
  evaluationFrequency: minutes,
  windowSize: minutes,
  criteria: z.object({ allOf: z.tuple([criterion]) }),
});

const resources = resourcesOf('prod');
const metricRules = ofType(resources, 'Microsoft.Insights/metricAlerts').map((one) => {
  const { evaluationFrequency, windowSize, criteria } = rule.parse(one['properties']);
  return {
    name: one.name.replace('darkroom-prod-', ''),
    evaluationFrequency,
    windowSize,
    criterion: criteria.allOf[0],
  };
});

/** The time series of a criterion: each value of a dimension by itself, or everything taken together. */
function seriesFor({ metricName, dimensions }: z.infer<typeof criterion>, values: Series): [string, number[][]][] {
  const all = Object.entries(values[metricName] ?? {});
  const [dimension] = dimensions;
  if (dimension === undefined) return all.length === 0 ? [] : [['', all.map(([, one]) => one)]];
  expect(dimension.name).toBe('EntityName');
  const wanted = all.filter(([queue]) => dimension.values[0] === '*' || dimension.values.includes(queue));
  return wanted.map(([queue, one]) => [queue, [one]]);
}

const aggregations = {
  Minimum: (values: number[]) => Math.min(...values),
  Total: (values: number[]) => values.reduce((a, b) => a + b, 0),
};

/** `rule: queue @minute` for each time series that fires, at the first evaluation that it does. */
function fired(values: Series, rules = metricRules): string[] {
  return rules.flatMap(({ name, evaluationFrequency, windowSize, criterion: of }) =>
    seriesFor(of, values).flatMap(([queue, together]) => {
      const length = Math.max(...together.map((one) => one.length));
      for (let at = Math.max(evaluationFrequency, windowSize); at <= length; at += evaluationFrequency) {
        const window = together.flatMap((one) => one.slice(at - windowSize, at));
        if (window.length > 0 && aggregations[of.timeAggregation](window) > of.threshold)
          return [`${name}: ${queue} @${at}`];
      }
      return [];
    }),
  );
}

describe('alerts on queues', () => {
  test.for(['nothing wrong', 'a bulk import that is kept up with'])('%s: nobody is told', (load) => {
    expect(fired(recorded[load] ?? {})).toEqual([]);
  });

  test('a dead consumer is told of, however few its messages are, and by the name of its queue', () => {
    expect(fired(recorded['a dead consumer'] ?? {})).toEqual(['unread: evaluations @75']);
  });

  test('a slow consumer is told of by the number of messages, then by their age', () => {
    expect(fired(recorded['a slow consumer'] ?? {})).toEqual(['backlog: blob-created @60', 'unread: blob-created @60']);
  });

  test('dead letters that nobody takes are told of', () => {
    expect(fired(recorded['dead letters that nobody takes'] ?? {})).toEqual(['dead-letters: deployments @60']);
  });

  test('without a split by queue none of these would have fired', () => {
    const together = metricRules.map((one) => ({ ...one, criterion: { ...one.criterion, dimensions: [] } }));
    for (const values of Object.values(recorded)) expect(fired(values, together)).toEqual([]);
  });
});

describe('alerts on the app', () => {
  const minutely = (metric: string, count: number, value: number): Series => ({
    [metric]: { app: Array.from({ length: count }, () => value) },
  });

  test('five failures in half an hour are an accident, six are told of', () => {
    const failing = (times: number): Series => ({
      Http5xx: { app: Array.from({ length: 30 }, (_, i) => Number(i < times)) },
    });
    expect(fired(failing(5))).toEqual([]);
    expect(fired(failing(6))).toEqual(['server-errors:  @30']);
  });

  test('a request a second all day is told of, a thousand uploads are not', () => {
    // at least a second of an instance of 2 GB each, in MB-milliseconds
    const execution = 2048 * 1000;
    expect(fired(minutely('OnDemandFunctionExecutionUnits', 1440, 60 * execution))).toEqual([
      'execution-units:  @1440',
    ]);
    expect(fired(minutely('OnDemandFunctionExecutionUnits', 1440, (2000 / 1440) * execution))).toEqual([]);
  });

  test('every rule has met a series here', () => {
    const met = ['backlog', 'dead-letters', 'execution-units', 'server-errors', 'unread'];
    expect(metricRules.map(({ name }) => name).sort()).toEqual(met);
  });
});

describe('the alert on records', () => {
  const now = Date.parse('2026-12-01T12:00:00Z');
  const [query] = z
    .object({ criteria: z.object({ allOf: z.tuple([z.object({ query: z.string() })]) }) })
    .parse(ofType(resources, 'Microsoft.Insights/scheduledQueryRules')[0]?.['properties']).criteria.allOf;
  const ago = (minutesAgo: number): number => now - minutesAgo * 60_000;
  const stage = (minutesAgo: number, customDimensions: Record<string, string>): Row => ({
    ...{ timestamp: ago(minutesAgo), name: 'pipeline.stage', customDimensions },
  });
  const age = (minutesAgo: number, valueMax: number): Row => ({
    ...{ timestamp: ago(minutesAgo), name: 'queue-age-seconds', valueMax, customDimensions: { queue: 'evaluations' } },
  });
  const sweeps = Array.from({ length: 190 }, (_, i) => stage(i * 15 + 4, { stage: 'sweep', outcome: 'healed' }));
  const run = { run: 'r', stage: 'training-event', outcome: 'applied' };
  const trained = [
    stage(130, run),
    stage(70, run),
    stage(69, { ...run, stage: 'train', type: 'darkroom.run.ended' }),
    stage(600, { stage: 'ingest', outcome: 'dead-lettered' }),
  ];
  const signals = (events: Row[], metrics: Row[] = [age(5, 3), age(500, 4000)]): Record<string, number> =>
    Object.fromEntries(
      runQuery(query.query, { customEvents: events, customMetrics: metrics }, now).map(({ signal, value }) => [
        z.string().parse(signal),
        Number(value),
      ]),
    );

  test('is silent while nothing is wrong, also where nothing happens but sweeps', () => {
    expect(signals([...sweeps, ...trained])).toEqual({});
    expect(signals(sweeps, [])).toEqual({});
  });

  test('tells of what failed, and of messages that waited for more than half an hour', () => {
    const failed = stage(10, { stage: 'evaluate', outcome: 'dead-lettered' });
    expect(signals([...sweeps, failed])).toEqual({ 'stage-failures': 1 });
    expect(signals(sweeps, [age(5, 1801)])).toEqual({ 'late-messages': 1 });
  });

  test('tells of functions that do not run, of runs that nobody looks after, and of long training', () => {
    expect(signals(sweeps.slice(5))).toEqual({ 'no-sweep': 1 });
    expect(signals([...sweeps, stage(90, run), stage(31, run)])).toEqual({ 'stuck-runs': 1 });
    const long = [stage(1400, run), stage(1000, run), stage(999, { ...run, type: 'darkroom.run.ended' })];
    expect(signals([...sweeps, ...long])).toEqual({ 'training-seconds': (1400 - 999) * 60 - 14_400 });
  });
});
