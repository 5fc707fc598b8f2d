import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { PipelinePolicy } from '@azure/core-rest-pipeline';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type InsightsService, startInsights } from '../../local/insights/server.ts';

let dataDir: string;
let service: InsightsService;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'insights-'));
  service = await startInsights({ port: 0, dataDir, rotateBytes: 2_000 });
});
afterEach(async () => {
  await service.close();
  await rm(dataDir, { recursive: true, force: true });
});

const item = (name: string, filler = '') => ({
  name,
  time: '2026-11-01T00:00:00Z',
  data: { baseType: 'EventData', baseData: { filler } },
});
const stored = async (file = 'telemetry.ndjson') =>
  (await readFile(join(dataDir, file), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as ReturnType<typeof item>);
const track = (body: string | Buffer, path = '/v2.1/track', headers: Record<string, string> = {}) =>
  fetch(`http://127.0.0.1:${service.port}${path}`, {
    method: 'POST',
    body: new Uint8Array(Buffer.from(body)),
    headers,
  });

describe('ingestion', () => {
  test('keeps arrays, lines and gzip of both versions of the protocol, in order', async () => {
    const array = await track(JSON.stringify([item('a'), item('b')]));
    expect([array.status, await array.json()]).toEqual([200, { itemsReceived: 2, itemsAccepted: 2, errors: [] }]);
    await track(`${JSON.stringify(item('c'))}\n${JSON.stringify(item('d'))}\n`, '/v2/track');
    await track(gzipSync(JSON.stringify([item('e')])), '/v2.1/track', { 'content-encoding': 'gzip' });
    expect((await stored()).map((e) => e.name)).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  test('says which items it refuses and keeps the others', async () => {
    const answer = await track(JSON.stringify([item('good'), { nothing: 1 }]));
    expect(answer.status).toBe(206);
    expect(await answer.json()).toMatchObject({
      itemsReceived: 2,
      itemsAccepted: 1,
      errors: [{ index: 1, statusCode: 400 }],
    });
    expect(await stored()).toHaveLength(1);
  });

  test('refuses what is no JSON, and what unpacks to more than it may', async () => {
    expect((await track('{')).status).toBe(400);
    const bomb = gzipSync(Buffer.alloc(80 * 1024 * 1024));
    expect((await track(bomb, '/v2.1/track', { 'content-encoding': 'gzip' })).status).toBe(400);
  });

  test('rotates, and never keeps more than four files', async () => {
    for (let i = 0; i < 12; i += 1) await track(JSON.stringify([item(`n${i}`, 'x'.repeat(1_200))]));
    expect((await readdir(dataDir)).sort()).toEqual([
      'telemetry.1.ndjson',
      'telemetry.2.ndjson',
      'telemetry.3.ndjson',
      'telemetry.ndjson',
    ]);
    expect((await stored())[0]?.name).toBe('n11');
    expect((await stored('telemetry.1.ndjson'))[0]?.name).toBe('n10');
  });

  test('live metrics are told that nobody watches', async () => {
    const ping = await track('{}', '/QuickPulseService.svc/ping?ikey=1');
    expect([ping.status, ping.headers.get('x-ms-qps-subscribed')]).toEqual([200, 'false']);
  });
});

test('the Application Insights SDK delivers its telemetry', async () => {
  process.env['APPLICATION_INSIGHTS_NO_STATSBEAT'] = 'true';
  const { TelemetryClient } = await import('applicationinsights');
  // the exporter turns http addresses into https
  const policy: PipelinePolicy = {
    name: 'plain-http',
    sendRequest(request, next) {
      request.url = request.url.replace(/^https:/, 'http:');
      request.allowInsecureConnection = true;
      return next(request);
    },
  };
  const client = new TelemetryClient(service.connectionString);
  client.config.azureMonitorOpenTelemetryOptions = {
    azureMonitorExporterOptions: {
      connectionString: service.connectionString,
      additionalPolicies: [{ position: 'perRetry', policy }],
      disableOfflineStorage: true,
    },
    enableLiveMetrics: false,
    samplingRatio: 1,
    tracesPerSecond: 0,
  };
  client.initialize();
  client.trackEvent({ name: 'pipeline.stage', properties: { stage: 'ingest' } });
  await client.flush();
  await client.shutdown();
  const files = (await readdir(dataDir)).map((file) => readFile(join(dataDir, file), 'utf8'));
  expect((await Promise.all(files)).join('')).toContain('pipeline.stage');
});
