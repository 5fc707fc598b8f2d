/** The whole loop on real services: upload to live endpoint by events alone, retrain, roll back. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as z from 'zod';
import type { Platform } from '../../local/platform.ts';
import { uploadView, versionView } from '../../shared/api/views/dataset.ts';
import { dimensionsOf, keptQueries } from '../infra/kusto.ts';
import { endpointView, predictionView, scoreView } from '../../shared/api/views/endpoint.ts';
import { modelView } from '../../shared/api/views/model.ts';
import { page } from '../../shared/api/views/page.ts';
import { projectStatusView } from '../../shared/api/views/project.ts';
import { trainingSummaryView } from '../../shared/api/views/training.ts';
import { type Api, createApi } from './client.ts';
import { digit } from './digits.ts';
import { type NetworkWatch, watchNetwork } from '../network/watch.ts';
import { startApp } from '../platform.ts';

const root = path.resolve(import.meta.dirname, '../..');
const problems: string[] = [];
let folder: string;
let platform: Platform;
let api: Api;
let network: NetworkWatch;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'darkroom-e2e-'));
  network = await watchNetwork(folder);
  platform = await startApp({
    dataDir: folder,
    onLog: ({ level, message }) => {
      if (level === 'error' || level === 'critical') problems.push(message);
    },
  });
  const env = { ...process.env, ...platform.settings };
  const made = await promisify(execFile)(process.execPath, ['cli/create-key.ts'], { cwd: root, env });
  api = createApi(platform.addresses.http ?? '', made.stdout.trim());
}, 60_000);
afterAll(async () => {
  await platform?.close();
  network?.close();
  await rm(folder, { recursive: true, force: true });
});

const project = '/projects/digits';

interface File {
  name: string;
  label: string;
  bytes: Buffer;
}

async function upload(files: File[]): Promise<void> {
  const asked = files.map(({ name, label }) => ({ name, label, contentType: 'image/png' }));
  const answer = z
    .object({ value: z.array(z.object({ url: z.string(), headers: z.record(z.string(), z.string()) })) })
    .parse((await api.call('POST', `${project}/upload-urls`, { files: asked })).body);
  await Promise.all(
    answer.value.map(async ({ url, headers }, i) => {
      const put = await fetch(url, { method: 'PUT', headers, body: new Uint8Array(files[i]?.bytes ?? []) });
      expect(put.status).toBe(201);
    }),
  );
}

const digits = (from: number, to: number, prefix: string): Promise<File[]> =>
  Promise.all(
    Array.from({ length: (to - from) * 10 }, async (_, i) => {
      const label = i % 10;
      return { name: `${prefix}${i}.png`, label: String(label), bytes: await digit(label, from + Math.floor(i / 10)) };
    }),
  );

test(
  'uploads become versions, models and a live endpoint by events alone, and one call rolls back',
  { timeout: 180_000 },
  async () => {
    const settings = {
      trainer: { name: 'softmax' },
      gate: { minimum: 0.6, minimumRecall: 0 },
      commit: { quietSeconds: 3 },
    };
    expect((await api.call('PUT', project, settings)).status).toBe(201);

    const first = await digits(0, 30, 'a');
    const odd: File[] = [
      { name: 'text.png', label: '1', bytes: Buffer.from('not an image') },
      { name: 'cut.png', label: '1', bytes: (await digit(1, 500)).subarray(0, 100) },
      { name: 'again.png', label: '0', bytes: first[0]?.bytes ?? Buffer.alloc(0) },
      { name: 'other.png', label: '9', bytes: first[0]?.bytes ?? Buffer.alloc(0) },
    ];
    await upload([...first, ...odd]);
    const outcomes = {
      received: 0,
      accepted: 300,
      duplicate: 1,
      conflict: 1,
      unlabelled: 0,
      quarantined: 2,
      superseded: 0,
    };
    await expect
      .poll(async () => (await api.read(projectStatusView, project)).counts.uploads, { timeout: 60_000, interval: 500 })
      .toEqual(outcomes);
    const refused = await api.read(page(uploadView), `${project}/uploads?outcome=quarantined`);
    expect(new Set(refused.value.map((u) => u.reason?.code))).toEqual(new Set(['not-an-image', 'truncated']));

    const champion = async () => (await api.read(endpointView, `${project}/endpoint`)).production?.model;
    await expect.poll(champion, { timeout: 60_000, interval: 500 }).toBe(1);
    expect((await api.read(versionView, `${project}/versions/1`)).samples).toBe(300);
    expect((await api.read(modelView, `${project}/models/1`)).verdict.decision).toBe('approved');

    await upload(await digits(30, 40, 'b'));
    await expect.poll(champion, { timeout: 60_000, interval: 500 }).toBe(2);
    const changes = z
      .object({ counts: z.unknown() })
      .parse((await api.call('GET', `${project}/versions/1/diff/2`)).body);
    expect(changes.counts).toEqual({ added: 100, removed: 0, relabelled: 0 });
    expect((await api.read(modelView, `${project}/models/2`)).verdict.champion?.model).toBe(1);
    expect((await api.read(page(trainingSummaryView), `${project}/trainings`)).value.map((t) => t.state)).toEqual([
      'registered',
      'registered',
    ]);
    expect((await api.read(projectStatusView, project)).head?.number).toBe(2);

    const scored = scoreView.parse(
      (await api.call('POST', `${project}/score`, await digit(3, 800), { 'content-type': 'image/png' })).body,
    );
    expect(scored.model.version).toBe(2);
    const traced = await api.read(predictionView, `${project}/predictions/${scored.predictionId}`);
    expect(traced.lineage.datasetVersion.number).toBe(2);
    expect(traced.lineage.samples.length).toBeGreaterThan(0);

    expect((await api.call('POST', `${project}/endpoint/rollback`, {})).status).toBe(428);
    expect((await api.call('POST', `${project}/endpoint/rollback`, {}, { 'if-match': '"old"' })).status).toBe(412);
    const { etag } = await api.call('GET', `${project}/endpoint`);
    expect((await api.call('POST', `${project}/endpoint/rollback`, {}, { 'if-match': etag })).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 2000));
    const after = scoreView.parse(
      (await api.call('POST', `${project}/score`, await digit(3, 801), { 'content-type': 'image/png' })).body,
    );
    expect(after.model.version).toBe(1);

    expect((await api.call('GET', '/dead-letters')).body).toEqual({ value: [] });
    expect(problems).toEqual([]);
  },
);

test('wrong input is refused with the field, the reason and what to do next', async () => {
  const wrong = await api.call('PUT', '/projects/other', { gate: { minimum: 3 } });
  expect(wrong).toMatchObject({ status: 400, body: { error: { code: 'invalid-body', target: 'gate.minimum' } } });
  const twice = await api.call('PUT', '/projects/other', { gate: { minimum: 3 }, commit: { maxItems: 0 } });
  expect(twice).toMatchObject({
    body: { error: { details: [{ target: 'gate.minimum' }, { target: 'commit.maxItems' }] } },
  });
  expect(await api.call('PUT', '/projects/other', { colour: 1 })).toMatchObject({
    status: 400,
    body: { error: { target: 'colour' } },
  });
  expect(await api.call('GET', '/projects/nowhere')).toMatchObject({
    status: 404,
    body: { error: { code: 'unknown-project' } },
  });
  expect(await api.call('GET', '/projects', undefined, { 'x-api-key': 'dk_wrong' })).toMatchObject({ status: 401 });
  expect((await fetch(`${platform.addresses.http}/api/v1/health/live`)).status).toBe(200);
});

/** What the platform's ingestion endpoint kept, as Application Insights would have got it. */
async function telemetry() {
  const files = (await readdir(path.join(folder, 'insights'))).filter((name) => name.endsWith('.ndjson'));
  const lines = await Promise.all(files.map((name) => readFile(path.join(folder, 'insights', name), 'utf8')));
  return z
    .array(envelope)
    .parse(lines.flatMap((text) => text.trim().split('\n')).map((line): unknown => JSON.parse(line)));
}
const envelope = z.object({
  tags: z.record(z.string(), z.string()).default({}),
  data: z.object({
    baseType: z.string(),
    baseData: z.looseObject({
      name: z.string().optional(),
      properties: z.record(z.string(), z.string()).default({}),
      metrics: z
        .array(z.looseObject({ name: z.string(), value: z.number(), count: z.number().optional() }))
        .default([]),
    }),
  }),
});

test('telemetry has one trace from an upload to the live model, every stage, and the metrics', async () => {
  // the app sends what is left when it is ended
  await platform.functions?.close();
  const kept = await telemetry();
  const records = kept.filter(({ data }) => data.baseData.name === 'pipeline.stage');
  const of = (stage: string, outcome?: string) =>
    records.filter(({ data: { baseData } }) => {
      const { stage: s, outcome: o } = baseData.properties;
      return s === stage && (outcome === undefined || o === outcome);
    });
  // nothing is sampled out: one record for each of 404 uploads
  expect(new Set(of('ingest').map(({ data }) => data.baseData.properties['upload'])).size).toBe(404);
  for (const record of records) {
    expect(record.data.baseData.properties['durationMs']).toMatch(/^\d+$/);
    expect(Object.keys(record.data.baseData.properties)).toContain('outcome');
  }

  const traceOf = (one: z.infer<typeof envelope> | undefined) => one?.tags['ai.operation.id'] ?? 'none';
  const traces = of('deploy', 'live').map(traceOf);
  expect(new Set(traces).size).toBe(2);
  for (const trace of traces) {
    const stages = records.filter((one) => traceOf(one) === trace).map(({ data }) => data.baseData.properties['stage']);
    for (const stage of ['ingest', 'commit', 'train', 'training-event', 'evaluate', 'deploy'])
      expect(stages).toContain(stage);
    const spans = kept.filter((one) => one.data.baseType === 'RequestData' && traceOf(one) === trace);
    const ids = new Set(spans.map(({ data }) => data.baseData['id']));
    const roots = spans.filter(({ tags }) => !ids.has(tags['ai.operation.parentId'] ?? ''));
    expect(roots.map(({ data }) => data.baseData.name)).toEqual(['ingest']);
  }

  const metrics = new Set(kept.flatMap(({ data }) => data.baseData.metrics.map(({ name }) => name)));
  for (const name of ['queue-age-seconds', 'stage-milliseconds', 'score-milliseconds']) expect(metrics).toContain(name);

  // what the queries of infra/ read is what arrives; failures, which there are none of here, are test/infra/queries.test.ts's
  const metricAttributes = kept.filter(({ data }) => data.baseType === 'MetricData');
  const carried = [...records, ...metricAttributes].flatMap(({ data }) => Object.keys(data.baseData.properties));
  const read = Object.values(keptQueries()).flatMap(dimensionsOf);
  const ofFailures = ['reason', 'message'];
  expect([...new Set(read)].filter((name) => !carried.includes(name) && !ofFailures.includes(name))).toEqual([]);
});

test('all of it resolved no name and reached no address but those of this machine', async () => {
  const by = new Set((await network.all()).map((asked) => asked.by));
  // the functions, the storage and the training jobs were watched too
  for (const program of ['worker.ts', 'azurite', 'trainers/embedded/main.ts'])
    expect([...by].join('\n'), program).toContain(program);
  expect(await network.foreign()).toEqual([]);
});
