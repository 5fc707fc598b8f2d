/** From records that the real SDK sent, over the protocol of the query API, to the verdict. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import * as z from 'zod';
import { compareTelemetry, overall } from '../../../infra/deploy/comparison.ts';
import { countsAround, deploymentQuery } from '../../../infra/deploy/telemetry.ts';
import { type InsightsService, startInsights } from '../../../local/insights/server.ts';
import { createTelemetry } from '../../../shared/azure/telemetry.ts';
import { readConfig } from '../../../shared/config.ts';
import type { StageRecord } from '../../../shared/ports.ts';
import { appSettingsOf, evaluated } from '../templates.ts';
import { diagnose } from '../kusto.ts';

const insightsId = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Insights/components/appi';
const credential = {
  getToken: () => Promise.resolve({ token: 'of whoever is signed in', expiresOnTimestamp: Date.now() + 60_000 }),
};
const item = z.looseObject({
  time: z.iso.datetime(),
  data: z.looseObject({
    baseData: z.looseObject({ name: z.string().optional(), properties: z.record(z.string(), z.string()).optional() }),
  }),
});
let folder: string;
let insights: InsightsService;
let api: Server;
let endpoint: string;
let answerWith: (query: string) => Promise<{ status: number; body: unknown }>;
let deployedAt: string;
const asked: { url: string | undefined; authorization: string | undefined; query: string }[] = [];

/** What the query makes of the records, in the order of its columns; how they end is read from the query itself. */
async function evaluate(query: string): Promise<{ status: number; body: unknown }> {
  const failing = /outcome in \(([^)]*)\)/.exec(query)?.[1]?.replaceAll(/[" ]/g, '').split(',') ?? [];
  const counts = new Map<string, number>();
  const lines = (await readFile(path.join(folder, 'telemetry.ndjson'), 'utf8')).trim().split('\n');
  for (const { time, data } of lines.map((line) => item.parse(JSON.parse(line)))) {
    const { name, properties = {} } = data.baseData;
    if (name !== 'pipeline.stage') continue;
    const bin = Math.floor(Math.log2(Math.max(1, Number(properties['durationMs']))) * 4);
    const row = [properties['stage'], time >= deployedAt, failing.includes(properties['outcome'] ?? ''), bin];
    counts.set(JSON.stringify(row), (counts.get(JSON.stringify(row)) ?? 0) + 1);
  }
  const columns = ['stage', 'after', 'failed', 'bin', 'records'].map((name) => ({ name, type: 'dynamic' }));
  const rows = [...counts].map(([row, records]) => [...z.array(z.unknown()).parse(JSON.parse(row)), records]);
  return { status: 200, body: { tables: [{ name: 'PrimaryResult', columns, rows }] } };
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'compare-'));
  insights = await startInsights({ port: 0, dataDir: folder });
  const settings = {
    ...evaluated(appSettingsOf('dev')),
    APPLICATIONINSIGHTS_CONNECTION_STRING: insights.connectionString,
  };
  const telemetry = createTelemetry(
    readConfig({ ...settings, APPLICATIONINSIGHTS_AUTHENTICATION_STRING: '' }),
    () => new Date(),
  );
  const record = (stage: StageRecord['stage'], outcome: string, times: number) => {
    for (let i = 0; i < times; i++)
      telemetry.stage({ stage, outcome, project: 'digits', durationMs: 100 + i, ids: { message: `${stage}${i}` } });
  };
  record('score', 'scored', 200);
  record('ingest', 'accepted', 200);
  await telemetry.flush();
  // a time goes through seconds and nanoseconds on its way, and may lose a millisecond
  await sleep(25);
  deployedAt = new Date().toISOString();
  await sleep(25);
  record('score', 'scored', 40);
  record('score', 'failed', 10);
  record('ingest', 'accepted', 50);
  record('commit', 'committed', 3);
  // a flush resolves as well when something could not be delivered yet
  const kept = async () => {
    await telemetry.flush();
    const lines = await readFile(path.join(folder, 'telemetry.ndjson'), 'utf8').catch(() => '');
    return lines.split('"pipeline.stage"').length - 1;
  };
  await vi.waitFor(async () => expect(await kept()).toBe(503), { timeout: 30_000, interval: 100 });
  api = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const { query } = z.object({ query: z.string() }).parse(JSON.parse(Buffer.concat(parts).toString()));
      asked.push({ url: request.url, authorization: request.headers.authorization, query });
      void answerWith(query).then(({ status, body }) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
      );
    });
  });
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
  endpoint = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
}, 60_000);
afterAll(async () => {
  api.close();
  await insights.close();
  await rm(folder, { recursive: true, force: true });
});

const counts = () => countsAround(insightsId, deployedAt, 24, credential, endpoint);

test('records of the real SDK, before and after, lead to a verdict per stage', async () => {
  answerWith = evaluate;
  const shares = compareTelemetry(await counts());
  const verdictOf = (stage: string) => shares.filter((one) => one.stage === stage).map(({ verdict }) => verdict);
  expect(verdictOf('score')[0]).toBe('worse');
  expect(verdictOf('ingest')).toEqual(['as before', 'as before']);
  expect(verdictOf('commit')).toEqual(['too few samples', 'too few samples']);
  expect(overall(shares)).toBe('worse');
  expect(asked.at(-1)).toMatchObject({
    url: `/v1${insightsId}/query`,
    authorization: 'Bearer of whoever is signed in',
  });
});

test('the query is understood by Kusto, with the moment and the span put in', async () => {
  const query = await deploymentQuery('2026-11-01T10:00:00.123Z', 24);
  expect(diagnose(query)).toEqual([]);
  expect(query).toContain('datetime(2026-11-01T10:00:00.123Z)');
  expect(query).toContain('deployed - 24 * 1h');
  await expect(deploymentQuery('yesterday") | take 1', 24)).rejects.toThrow();
});

test('a refusal names the role that is missing, and half an answer is none', async () => {
  answerWith = () =>
    Promise.resolve({
      status: 403,
      body: {
        error: { code: 'InsufficientAccessError', message: 'The provided credentials have insufficient access' },
      },
    });
  await expect(counts()).rejects.toThrow(/InsufficientAccessError.*Log Analytics Reader/);
  answerWith = async (query) => {
    const { body } = await evaluate(query);
    return {
      status: 200,
      body: { ...z.looseObject({}).parse(body), error: { code: 'PartialError', message: 'a shard did not answer' } },
    };
  };
  await expect(counts()).rejects.toThrow('the answer is not whole (PartialError');
});
