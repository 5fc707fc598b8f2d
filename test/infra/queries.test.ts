/** Queries are held to what exists: tables and columns by Kusto itself, values and dimensions by the code that emits them. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { InvocationContext } from '@azure/functions';
import { expect, test } from 'vitest';
import { consume } from '../../functions/consume.ts';
import { prices } from '../../infra/costs/prices.ts';
import { answer } from '../../infra/picture/answers.ts';
import { panels } from '../../infra/workbook.ts';
import { TerminalError } from '../../shared/errors.ts';
import type { Telemetry } from '../../shared/ports.ts';
import { createFakes } from '../simulation/fakes.ts';
import { diagnose, keptQueries } from './kusto.ts';
import { at, ofType, resourcesOf } from './templates.ts';

const root = path.join(import.meta.dirname, '..', '..');
const queries = Object.entries(keptQueries());

/** What stands in braces, as the workbook and the templates fill it in. */
const filled = (query: string): string =>
  query
    .replaceAll('{TimeRange:grain}', '15m')
    .replaceAll('{Project}', 'digits')
    .replaceAll('{deployedAt}', '2026-11-01T10:00:00Z')
    .replaceAll('{hoursBefore}', '24')
    .replaceAll(/\{(trainingSecondsPerDay|usdPerGbSecond|usdPerTrainingHour)\}/g, '1.5');

test.for(queries)('%s names only tables, columns and functions that exist', ([, query]) => {
  expect(filled(query), 'something in braces is filled in by nobody').not.toMatch(/\{[A-Za-z:]+\}/);
  expect(diagnose(filled(query))).toEqual([]);
});

test('a query with a column or function that does not exist is refused', () => {
  expect(diagnose('customEvents | where nonsense == 1')).toEqual([expect.stringContaining('nonsense')]);
  expect(diagnose('customEvents\n| summarize percentil(5)')[0]).toMatch(/^line 2: .*percentil/);
});

test('queries in the documentation work', () => {
  const folder = path.join(root, 'docs');
  const pages = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md'));
  const blocks = pages.flatMap((page) =>
    [...readFileSync(path.join(folder, page), 'utf8').matchAll(/```kusto\n(.*?)```/gs)].flatMap(([, text = '']) =>
      text.split('\n\n').map((query) => [page, query] as const),
    ),
  );
  expect(blocks.length).toBeGreaterThan(0);
  for (const [page, query] of blocks) expect(diagnose(query), `${page}: ${query}`).toEqual([]);
});

function sources(folder: string): string {
  const files = readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' });
  return files
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(path.join(root, folder, name), 'utf8'))
    .join('\n');
}

test.for(queries)('every value that %s looks for is a word of the code', ([, query]) => {
  const code = sources('functions') + sources('shared');
  const withoutComments = query.replaceAll(/\/\/.*$/gm, '');
  // what a query calls its own rows is no value of ours
  const own = /(?:signal|what) = "[a-z-]+"|"\{Project\}"|"\*"|customDimensions\["\w+"\]/g;
  const values = [...withoutComments.replaceAll(own, '').matchAll(/"([^"]+)"/g)].map(([, value = '']) => value);
  expect(values.length).toBeGreaterThan(0);
  for (const value of values) expect(code.includes(`'${value}'`), `nothing emits "${value}"`).toBe(true);
});

/** Records of failures, which the loop of test/e2e has none of. */
test('failures carry the dimensions that queries read', async () => {
  const records: Record<string, string>[] = [];
  const telemetry: Telemetry = {
    span: (_name, _parent, work) => work(undefined),
    stage: ({ ids, ...record }) => records.push({ ...record, durationMs: String(record.durationMs), ...ids }),
    metric: () => undefined,
    problem: (message, attributes) => records.push({ message, ...attributes }),
  };
  const { ports } = createFakes();
  const context = { invocationId: 'i', triggerMetadata: {} } as InvocationContext;
  const handle = (error: Error) =>
    consume({ ...ports, telemetry }, 'evaluations', 'evaluate', () => Promise.reject(error)).handler(
      {
        ...{ specversion: '1.0', id: 'm', source: '/darkroom', type: 'darkroom.run.trained', subject: 'digits/r' },
        data: { project: 'digits', run: 'r' },
      },
      context,
    );
  await expect(handle(new Error('busy'))).rejects.toThrow('busy');
  await handle(new TerminalError('bad', 'never'));
  expect(records).toMatchObject([
    {
      stage: 'evaluate',
      outcome: 'retried',
      reason: 'busy',
      run: 'r',
      type: 'darkroom.run.trained',
      project: 'digits',
    },
    { stage: 'evaluate', outcome: 'dead-lettered', reason: 'never', run: 'r' },
  ]);
  const approved = { project: 'digits', model: 3, deployment: 'd-1' };
  await consume({ ...ports, telemetry }, 'deployments', 'deploy', () => Promise.resolve({ outcome: 'live' })).handler(
    {
      ...{ specversion: '1.0', id: 'a', source: '/darkroom', type: 'darkroom.model.approved', subject: 'digits/3' },
      data: approved,
    },
    context,
  );
  expect(records.at(-1), 'the workbook shows which model went live').toMatchObject({ outcome: 'live', model: '3' });
});

test('the picture of the workbook has an answer for each of its panels', () => {
  for (const { query } of panels) expect(() => answer(query, { events: [], metrics: [] }), query).not.toThrow();
  expect(readFileSync(path.join(root, 'docs/pictures/workbook.svg'), 'utf8')).toContain(panels[0]?.title);
});

test('the workbook has every query but those of the alerts and of deployments, for its own Application Insights, at the prices of the list', () => {
  const { t4Hour, a100Hour, vcpuSecond, gibSecond } = prices.containerApps;
  const cpuHour = 3600 * (4 * vcpuSecond + 8 * gibSecond);
  const hours = { dev: t4Hour, 'options/a100': a100Hour, 'options/cpu': cpuHour } as const;
  for (const [deployment, usd] of Object.entries(hours)) {
    const resources = resourcesOf(deployment as keyof typeof hours);
    const [workbook] = ofType(resources, 'Microsoft.Insights/workbooks');
    const text = String(at(workbook, 'properties.serializedData'));
    const { items, fallbackResourceIds } = JSON.parse(text) as {
      items: { name: string }[];
      fallbackResourceIds: string[];
    };
    const elsewhere = ['signals', 'deployment'];
    const names = queries.map(([name]) => name.replace(/\.kql$/, '')).filter((name) => !elsewhere.includes(name));
    expect(items.map(({ name }) => name).sort()).toEqual([...names, 'parameters'].sort());
    expect(fallbackResourceIds).toEqual(ofType(resources, 'Microsoft.Insights/components').map(({ id }) => id));
    expect(text).toContain(`seconds / 3600 * ${usd.toFixed(2)};`);
    expect(text).toContain(`seconds * 2 * ${prices.functions.gbSecond};`);
  }
});

test('the alert asks for the seconds that its parameter says', () => {
  const [rule] = ofType(resourcesOf('dev'), 'Microsoft.Insights/scheduledQueryRules');
  const [criterion] = at(rule, 'properties.criteria.allOf') as object[];
  expect(at(criterion, 'query')).toContain('used - 14400)');
  expect(diagnose(String(at(criterion, 'query')))).toEqual([]);
});
