/** What operators decide and what goes wrong, on real services: trainings that fail, approvals, canaries, healing. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import * as z from 'zod';
import { sweep } from '../../shared/project/sweep.ts';
import { createKey } from '../../local/first-key.ts';
import type { Platform } from '../../local/platform.ts';
import { endpointView } from '../../shared/api/views/endpoint.ts';
import { modelSummaryView, modelView } from '../../shared/api/views/model.ts';
import { page } from '../../shared/api/views/page.ts';
import { trainingView } from '../../shared/api/views/training.ts';
import { connect } from '../../shared/azure/connect.ts';
import { readConfig } from '../../shared/config.ts';
import type { PredictionDocument } from '../../shared/prediction/document.ts';
import type { ProjectDocument } from '../../shared/project/document.ts';
import type { RunDocument } from '../../shared/training/document.ts';
import { update } from '../../shared/update.ts';
import { toTensor } from '../../shared/image/tensor.ts';
import type { Ports } from '../../shared/ports.ts';
import type { Inference } from '../../shared/prediction/inference.ts';
import { predictionPartition } from '../../shared/prediction/score.ts';
import { requestTraining } from '../../shared/training/request.ts';
import { type Api, createApi } from './client.ts';
import { fixtureJob } from '../fixtures/job.ts';
import { startApp } from '../platform.ts';

const name = 'tiles';
const base = `/projects/${name}`;
const image = { width: 8, height: 8, channels: 1 as const };
const settings = {
  ...{ image, classes: ['dark', 'light'], trainer: { name: 'prebuilt' }, commit: { quietSeconds: 1 } },
  gate: { minimum: 0, minimumRecall: 0, maxRegression: 1, baseline: 'noted', approval: 'manual' },
  retrain: { onVersion: false },
};
let folder: string;
let platform: Platform;
let ports: Ports & Pick<Inference, 'toTensor'>;
let api: Api;
let seed = 0;

const tile = (label: string, n: number): Promise<Buffer> =>
  sharp(Buffer.alloc(64, label === 'dark' ? n : 255 - n), { raw: { width: 8, height: 8, channels: 1 } })
    .png()
    .toBuffer();

const training = (id: string) => api.read(trainingView, `${base}/trainings/${id}`);
const endpoint = () => api.read(endpointView, `${base}/endpoint`);
const soon = { timeout: 30_000, interval: 100 };

const started = z.object({ id: z.string(), decision: z.string() });
/** Asks for a training; every one has a seed of its own, and so a model of its own. */
async function train(trainer: string): Promise<string> {
  const answer = await api.call('POST', `${base}/trainings`, { trainer: { name: trainer }, seed: ++seed });
  expect(answer.status).toBe(202);
  return started.parse(answer.body).id;
}
const until = (id: string, ...states: string[]) =>
  vi.waitUntil(async () => {
    const run = await training(id);
    return states.includes(run.state) ? run : undefined;
  }, soon);

/** As if the run had been quiet for ten minutes. */
const backdate = (id: string): Promise<unknown> => {
  const earlier = (at: string | null): string => new Date(Date.parse(at ?? '') - 600_000).toISOString();
  return Promise.all([
    update(ports.documents, 'runs', name, id, (run): RunDocument | 'keep' =>
      run === undefined
        ? 'keep'
        : {
            ...run,
            submittedAt: earlier(run.submittedAt),
            lastReport: run.lastReport === null ? null : { ...run.lastReport, at: earlier(run.lastReport.at) },
          },
    ),
    update(ports.documents, 'schedulers', name, 'scheduler', (s) =>
      s?.active ? { ...s, active: { ...s.active, at: earlier(s.active.at) } } : 'keep',
    ),
  ]);
};

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'darkroom-operations-'));
  const models = path.join(folder, 'models');
  const jobCommand = await fixtureJob(models);
  platform = await startApp({ dataDir: path.join(folder, 'data'), jobCommand });
  ports = { ...connect(readConfig(platform.settings)), toTensor };
  api = createApi(platform.addresses.http ?? '', await createKey(platform.settings, 'operator'));
  expect((await api.call('PUT', base, settings)).status).toBe(201);
  const expires = new Date(Date.now() + 600_000);
  await Promise.all(
    Array.from({ length: 24 }, async (_, i) => {
      const label = i % 2 === 0 ? 'dark' : 'light';
      const url = await ports.blobs.sign('uploads', `${name}/${label}/${i}.png`, 'create', expires);
      const headers = { 'x-ms-blob-type': 'BlockBlob', 'content-type': 'image/png' };
      const put = await fetch(url, { method: 'PUT', headers, body: new Uint8Array(await tile(label, i)) });
      expect(put.status).toBe(201);
    }),
  );
  await vi.waitUntil(async () => (await api.call('GET', `${base}/versions/1`)).status === 200, soon);
}, 90_000);
afterAll(async () => {
  await platform?.close();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

describe('a training', () => {
  test('by a trainer of shell and curl goes from its job to a registered model', async () => {
    const run = await until(await train('curl'), 'registered', 'rejected', 'failed');
    expect(run).toMatchObject({ state: 'registered', attempt: 1, progress: { phase: 'download' }, failure: null });
    const model = await api.read(modelView, `${base}/models/${run.model}`);
    expect(model).toMatchObject({ state: 'candidate', verdict: { decision: 'approved' } });
    expect((await endpoint()).production).toBeNull();
  });

  test('that always fails has failed at once, for the reason that its program gave', async () => {
    const run = await until(await train('failing'), 'failed', 'registered');
    expect(run).toMatchObject({ state: 'failed', attempt: 1, failure: { code: 'trainer-failed', retryable: false } });
    expect(run.failure?.detail).toBe('The training program failed: the loss is not a number');
  });

  test('that compute takes away begins again after a pause', async () => {
    const run = await until(await train('preempted'), 'failed', 'registered');
    expect(run).toMatchObject({ state: 'registered', attempt: 2 });
    const pausedMs = Date.parse(run.submittedAt ?? '') - Date.parse(run.attempts[0]?.endedAt ?? '');
    expect(pausedMs).toBeGreaterThan(4500);
  });

  test('cancelled while it runs stops its job, and of those that came meanwhile one trains', async () => {
    const running = await train('stuck');
    await until(running, 'running');
    const body = { trainer: { name: 'prebuilt' }, seed: ++seed };
    const asked = await Promise.all(Array.from({ length: 5 }, () => api.call('POST', `${base}/trainings`, body)));
    const answers = asked.map((a) => started.parse(a.body));
    expect(answers.map((a) => a.decision).sort()).toEqual(['coalesced', 'coalesced', 'coalesced', 'coalesced', 'wait']);
    expect(new Set(answers.map((a) => a.id)).size).toBe(1);

    const cancelled = await api.call('POST', `${base}/trainings/${running}/cancel`);
    expect([cancelled.status, trainingView.parse(cancelled.body).state]).toEqual([202, 'cancelled']);
    expect((await api.call('POST', `${base}/trainings/${running}/cancel`)).status).toBe(202);
    const execution = (await ports.documents.read('runs', name, running))?.document.execution ?? '';
    await expect.poll(async () => (await ports.compute.get(execution))?.state, soon).toBe('stopped');
    expect((await until(answers[0]?.id ?? '', 'registered', 'failed')).state).toBe('registered');
    expect((await api.call('POST', `${base}/trainings/${answers[0]?.id}/cancel`)).status).toBe(409);
  });

  test('whose heartbeat is lost, or whose process dies without a word, is found by the sweep and begins again', async () => {
    for (const [what, reason] of [
      ['silent', 'has not reported for'],
      ['dead', 'is failed and never reported its end'],
    ]) {
      const id = await train('stuck');
      await until(id, 'running');
      const execution = (await ports.documents.read('runs', name, id))?.document.execution ?? '';
      if (what === 'dead') {
        const token = (await ports.compute.get(execution))?.environment['DARKROOM_TOKEN'] ?? '';
        // the job and nothing else has this token in its environment
        const pids = execFileSync('sh', [
          '-c',
          `grep -lz "DARKROOM_TOKEN=${token}" /proc/[0-9]*/environ 2>/dev/null || true`,
        ]);
        for (const pid of pids.toString().match(/\d+/g) ?? []) process.kill(Number(pid), 'SIGKILL');
        await expect.poll(async () => (await ports.compute.get(execution))?.state, soon).toBe('failed');
      }
      await backdate(id);
      expect((await sweep(ports)).problems).toEqual([]);
      const run = await until(id, 'registered', 'failed');
      expect([run.state, run.attempt, run.attempts[0]?.failure]).toEqual([
        'registered',
        2,
        expect.stringContaining(reason ?? ''),
      ]);
      expect((await ports.compute.get(execution))?.state).toBe(what === 'dead' ? 'failed' : 'stopped');
    }
  }, 60_000);

  test('asked for by somebody who died before sending the message is started by the sweep', async () => {
    const project = await ports.documents.read('projects', 'projects', name);
    const mute = { ...ports, messages: { ...ports.messages, send: () => Promise.reject(new Error('died')) } };
    const input = { id: 'unsent', by: 'test', kind: 'manual' as const, seed: ++seed };
    await expect(requestTraining(mute, project?.document as ProjectDocument, input, { id: 'unsent' })).rejects.toThrow(
      'died',
    );
    expect((await sweep(ports)).problems).toEqual([]);
    const id = (await ports.documents.read('schedulers', name, 'scheduler'))?.document.active?.run ?? '';
    expect((await until(id, 'registered', 'failed')).state).toBe('registered');
  });
});

describe('a person', () => {
  const candidates = async (): Promise<z.infer<typeof modelSummaryView>[]> =>
    (await api.read(page(modelSummaryView), `${base}/models`)).value.filter((m) => m.state === 'candidate');
  const decide = (model: number, what: string, etag?: string) =>
    api.call('POST', `${base}/models/${model}/${what}`, {}, etag === undefined ? {} : { 'if-match': etag });

  test('approves or rejects a candidate that they have seen, once; approved it goes live', async () => {
    const [one, two] = await candidates();
    const [first, second] = [one?.version ?? 0, two?.version ?? 0];
    expect((await decide(first, 'approve')).status).toBe(428);
    expect((await decide(first, 'approve', '"old"')).status).toBe(412);
    const { etag } = await api.call('GET', `${base}/models/${first}`);
    expect((await decide(first, 'approve', etag)).status).toBe(200);
    expect((await decide(first, 'approve', etag)).status).toBe(200);
    expect((await decide(first, 'reject', etag)).status).toBe(412);
    await expect.poll(async () => (await endpoint()).production?.model, soon).toBe(first);
    const other = await api.call('GET', `${base}/models/${second}`);
    expect((await decide(second, 'reject', other.etag)).body).toMatchObject({ state: 'rejected' });
    expect((await api.call('POST', `${base}/endpoint/deploy`, { model: second })).status).toBe(409);
  });

  test('lets a model be tried on some requests: it is promoted when it does well, and returned when it fails', async () => {
    const { etag } = await api.call('GET', base);
    const canary = { percent: 50, minRequests: 5, maxErrorRate: 0.2, durationSeconds: 3 };
    const changed = { ...settings, deploy: { canary } };
    expect((await api.call('PUT', base, changed, { 'if-match': etag })).status).toBe(200);
    const [good, bad] = await candidates();
    const champion = (await endpoint()).production?.model;

    await api.call('POST', `${base}/models/${good?.version}/approve`, {}, { 'if-match': '*' });
    await expect.poll(async () => (await endpoint()).canary?.model, soon).toBe(good?.version);
    const picture = await tile('dark', 7);
    const scores = Array.from({ length: 40 }, () =>
      api.call('POST', `${base}/score`, picture, { 'content-type': 'image/png' }),
    );
    const versions = (await Promise.all(scores)).map((s) => (s.body as { model: { version: number } }).model.version);
    expect(new Set(versions)).toEqual(new Set([champion, good?.version]));
    await expect.poll(async () => (await endpoint()).production?.model, soon).toBe(good?.version);

    await api.call('POST', `${base}/models/${bad?.version}/approve`, {}, { 'if-match': '*' });
    await expect.poll(async () => (await endpoint()).canary?.model, soon).toBe(bad?.version);
    const { deployment = '' } = (await ports.documents.read('endpoints', name, 'endpoint'))?.document.canary ?? {};
    for (let i = 0; i < 6; i++) {
      // as an instance leaves it whose memory did not suffice
      const id = `p-${i}${'0'.repeat(23)}`;
      const failed = { id, pk: predictionPartition(name, id), project: name, deployment, error: 'out of memory' };
      await ports.documents.create('predictions', failed as PredictionDocument);
    }
    await expect.poll(async () => (await endpoint()).canary, soon).toBeNull();
    const { production, history } = await endpoint();
    expect(production?.model).toBe(good?.version);
    expect(history[0]).toMatchObject({ model: bad?.version, state: 'rolled-back' });
  });
});
