/**
 * What the queries of the workbook answer on local records. The queries themselves run in Azure only; each answer here
 * follows the query of the same name in infra/queries, and the test of queries holds the names in them to the code.
 */
import { prices } from '../costs/prices.ts';
import type { Event, Metric } from './records.ts';

export type Answer =
  | { kind: 'table'; columns: string[]; rows: string[][] }
  | { kind: 'bars'; bars: { name: string; value: number }[] }
  | { kind: 'lines'; lines: { name: string; points: { at: number; value: number }[] }[] };

interface Records {
  events: Event[];
  metrics: Metric[];
}

const maxRows = 8;
const functionGb = 2;

function groups<T>(items: T[], key: (item: T) => string): [string, T[]][] {
  const found = new Map<string, T[]>();
  for (const item of items) found.set(key(item), [...(found.get(key(item)) ?? []), item]);
  return [...found];
}
const percentile = (values: number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.ceil(values.length * share) - 1)] ?? 0;
const ms = ({ is }: Event): number => Number(is['durationMs'] ?? 0);
const clock = (at: number): string => new Date(at).toISOString().slice(11, 19);
const first = (events: Event[]): number => events[0]?.at ?? 0;
const last = (events: Event[]): number => events.at(-1)?.at ?? 0;
const table = (columns: string[], rows: string[][]): Answer => ({
  kind: 'table',
  columns,
  rows: rows.slice(0, maxRows),
});
const stagesOf = (events: Event[]): Event[] => events.filter(({ name }) => name === 'pipeline.stage');
const byStage = (events: Event[], stage: string): Event[] => stagesOf(events).filter(({ is }) => is['stage'] === stage);
const failures = ['retried', 'dead-lettered', 'recorded', 'start-failed', 'failed'];

function costs({ events }: Records): Answer {
  const seconds = stagesOf(events).reduce((sum, one) => sum + ms(one) / 1000, 0);
  const training = groups(byStage(events, 'training-event'), ({ is }) => is['run'] ?? '');
  const trained = training.reduce((sum, [, one]) => sum + (last(one) - first(one)) / 1000, 0);
  const rows = [
    ['functions', seconds, seconds * functionGb * prices.functions.gbSecond],
    ['training', trained, (trained / 3600) * prices.containerApps.t4Hour],
  ] as const;
  return table(
    ['what', 'seconds', 'usd'],
    rows.map(([what, time, usd]) => [what, time.toFixed(0), usd.toFixed(4)]),
  );
}

function trainings({ events }: Records): Answer {
  const runs = groups(
    stagesOf(events).filter(({ is }) => is['run'] !== undefined),
    ({ is }) => is['run'] ?? '',
  );
  const rows = runs.map(([run, all]) => {
    const reports = all.filter(({ is }) => is['stage'] === 'training-event');
    const starts = all.filter(({ is }) => is['stage'] === 'train' && is['outcome'] === 'started').length;
    const verdict = all.find(({ is }) => is['stage'] === 'evaluate')?.is['outcome'] ?? '';
    const minutes = ((last(reports) - first(reports)) / 60_000).toFixed(1);
    return [clock(first(reports)), all[0]?.is['project'] ?? '', run.slice(0, 14), String(starts), minutes, verdict];
  });
  return table(['began', 'project', 'run', 'starts', 'minutes', 'verdict'], rows.reverse());
}

function scoring({ metrics }: Records): Answer {
  const scores = metrics.filter(({ name }) => name === 'score-milliseconds');
  const rows = groups(scores, ({ is }) => `${is['project']} ${is['model']} ${is['role']}`).map(([, all]) => {
    const { project = '', model = '', role = '' } = all[0]?.is ?? {};
    const count = all.reduce((sum, one) => sum + one.count, 0);
    const failed = all.reduce((sum, one) => sum + (one.is['outcome'] === 'failed' ? one.count : 0), 0);
    const mean = all.reduce((sum, one) => sum + one.sum, 0) / count;
    const worst = Math.max(...all.map(({ max }) => max));
    return [project, model, role, String(count), String(failed), mean.toFixed(1), worst.toFixed(0)];
  });
  return table(['project', 'model', 'role', 'scores', 'failed', 'mean ms', 'worst ms'], rows);
}

const answers: Record<string, (records: Records) => Answer> = {
  uploads: ({ events }) => ({
    kind: 'bars',
    bars: groups(byStage(events, 'ingest'), ({ is }) => is['outcome'] ?? '').map(([name, all]) => ({
      name,
      value: all.length,
    })),
  }),
  stages: ({ events }) =>
    table(
      ['stage', 'runs', 'retried', 'dead-lettered', 'p50 ms', 'p95 ms', 'last seen'],
      groups(stagesOf(events), ({ is }) => is['stage'] ?? '')
        .sort(([, a], [, b]) => b.length - a.length)
        .map(([stage, all]) => [
          stage,
          String(all.length),
          String(all.filter(({ is }) => is['outcome'] === 'retried').length),
          String(all.filter(({ is }) => ['dead-lettered', 'recorded'].includes(is['outcome'] ?? '')).length),
          percentile(all.map(ms), 0.5).toFixed(0),
          percentile(all.map(ms), 0.95).toFixed(0),
          clock(last(all)),
        ]),
    ),
  problems: ({ events }) =>
    table(
      ['stage', 'outcome', 'reason', 'times'],
      groups(
        events.filter(({ name, is }) => name === 'pipeline.problem' || failures.includes(is['outcome'] ?? '')),
        ({ is }) => `${is['stage']}|${is['outcome']}|${is['reason'] ?? is['message']}`,
      ).map(([key, all]) => [...key.split('|'), String(all.length)]),
    ),
  'queue-ages': ({ metrics }) => ({
    kind: 'lines',
    lines: groups(
      metrics.filter(({ name }) => name === 'queue-age-seconds'),
      ({ is }) => is['queue'] ?? '',
    ).map(([name, all]) => ({
      name,
      points: groups(all, ({ at }) => String(at)).map(([at, some]) => ({
        at: Number(at),
        value: Math.max(...some.map(({ max }) => max)),
      })),
    })),
  }),
  trainings,
  models: ({ events }) =>
    table(
      ['at', 'project', 'stage', 'outcome', 'model', 'ms'],
      stagesOf(events)
        .filter(({ is }) => is['stage'] === 'evaluate' || is['stage'] === 'deploy')
        .map((one) => [
          clock(one.at),
          one.is['project'] ?? '',
          one.is['stage'] ?? '',
          one.is['outcome'] ?? '',
          one.is['model'] ?? '',
          String(ms(one)),
        ])
        .reverse(),
    ),
  scoring,
  costs,
};

/** What the query of that name answers. Throws for a query that has none here. */
export function answer(query: string, records: Records): Answer {
  const of = answers[query];
  if (of === undefined) throw new Error(`infra/picture/answers.ts answers no query ${query}`);
  return of(records);
}
