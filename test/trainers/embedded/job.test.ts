import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodeModel } from '../../../shared/onnx/encode.ts';
import { classifierEnds } from '../../../shared/task/classification/ends.ts';
import { validateModel } from '../../../shared/onnx/validate.ts';
import { smokeFile, type JobDocument, type JobReport } from '../../../shared/training/job-contract.ts';
import { builtInDescriptions, trainerDescriptions } from '../../../shared/training/trainers.ts';
import { codeDigest } from '../../../trainers/embedded/code.ts';
import { tinyModel } from '../../shared/onnx/tiny-model.ts';
import { startBlobServer } from './blob-server.ts';
import { publishJobOn, reportsOn, runJobOn } from './published-job.ts';

const trainer = fileURLToPath(new URL('../../../trainers/embedded/main.ts', import.meta.url));
const jsonField = fileURLToPath(new URL('../../fixtures/json-field.mjs', import.meta.url));
const curlTrainer = fileURLToPath(new URL('../../fixtures/curl-trainer.sh', import.meta.url));

let server: Awaited<ReturnType<typeof startBlobServer>>;
beforeEach(async () => {
  server = await startBlobServer();
});
afterEach(() => server.close());

const publishJob = (change: Partial<JobDocument> = {}): Promise<JobDocument> => publishJobOn(server, change);
const reports = (): JobReport[] => reportsOn(server);
const runJob = (
  command: string[],
  environment: Record<string, string> = {},
  meanwhile?: (kill: () => void) => void,
): Promise<number | null> => runJobOn(server, command, environment, meanwhile);
const embedded = [process.execPath, trainer];
const last = (): JobReport | undefined => reports().at(-1);

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 500 && !condition(); tries++) await new Promise((resolve) => setTimeout(resolve, 20));
}

function expectOutputs(report: JobReport | undefined): void {
  if (report?.kind !== 'succeeded') throw new Error(`the last report is ${JSON.stringify(report)}`);
  for (const [name, { sha256, sizeBytes }] of Object.entries(report.outputs)) {
    const blob = server.blobs.get(`/jobs/out/${name}`) ?? Buffer.alloc(0);
    expect(createHash('sha256').update(blob).digest('hex')).toBe(sha256);
    expect(blob).toHaveLength(sizeBytes);
  }
}

describe('the embedded trainer', () => {
  test('trains, reports every epoch and leaves its outputs', async () => {
    await publishJob();
    // busy storage is met with patience
    server.failures.set('/jobs/manifest.ndjson', 1).set('/job-reports/stripes/r-1/t-1/000002.json', 1);
    expect(await runJob(embedded)).toBe(0);
    const all = reports();
    expect(all.map(({ kind }) => kind)).toEqual([
      'started',
      'heartbeat',
      'heartbeat',
      'heartbeat',
      'heartbeat',
      'succeeded',
    ]);
    expect(all.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(new Set(all.map(({ execution }) => execution))).toEqual(new Set(['execution-1']));
    expect(all[0]).toMatchObject({ machine: { executionProvider: 'cpu', threads: 1 }, code: codeDigest(trainer) });
    expect(all[1]).toMatchObject({ progress: { phase: 'train', done: 3, total: 12 } });
    expect(all[1]?.metrics?.map(({ key, step }) => `${key} ${step}`)).toEqual([
      'loss 1',
      'train.accuracy 1',
      'validation.loss 1',
      'validation.accuracy 1',
    ]);
    expectOutputs(all.at(-1));
    const model = server.blobs.get('/jobs/out/model.onnx') ?? Buffer.alloc(0);
    expect(validateModel(model, classifierEnds({ channels: 3, height: 12, width: 12, classes: 2 }))).toMatchObject({
      ok: true,
    });
    expect(smokeFile.parse(JSON.parse(server.blobs.get('/jobs/out/smoke.json')?.toString('utf8') ?? ''))).toHaveLength(
      4,
    );
    expect(JSON.parse(server.blobs.get('/jobs/out/metrics.json')?.toString('utf8') ?? '')).toMatchObject({
      samples: { train: 12, validation: 4 },
      final: { validationAccuracy: expect.any(Number) },
    });
  });

  test('takes a report or an output whose answer was lost for written, when storage refuses to overwrite it', async () => {
    await publishJob();
    server.lostAnswers.set('/job-reports/stripes/r-1/t-1/000003.json', 1).set('/jobs/out/model.onnx', 2);
    expect(await runJob(embedded)).toBe(0);
    expect(reports().map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6]);
    expectOutputs(last());
  });

  test('ends when its cancellation is asked for', async () => {
    const job = await publishJob({
      heartbeatSeconds: 0.1,
      trainer: { name: 'resnet-small', parameters: { epochs: 1000, patience: 1000 } },
    });
    const ended = runJob(embedded);
    await until(() => server.blobs.has('/job-reports/stripes/r-1/t-1/000002.json'));
    server.blobs.set('/jobs/job.json', Buffer.from(JSON.stringify({ ...job, cancelRequested: true })));
    expect(await ended).toBe(0);
    expect(last()).toMatchObject({ kind: 'failed', reason: 'cancelled' });
  });

  test.each([
    [{ task: 'detection' }, 'this trainer makes classifiers, and the job asks for detection'],
    [{ classes: ['level'] }, 'a classifier needs two classes, and the job names 1'],
  ])('refuses a job that is none for it: %o', async (change, reason) => {
    await publishJob(change);
    expect(await runJob(embedded)).toBe(1);
    expect(last()).toMatchObject({ kind: 'failed', reason: expect.stringContaining(reason) });
  });

  test('says on SIGTERM that its machine is taken away, which is no cancellation', async () => {
    await publishJob({ trainer: { name: 'resnet-small', parameters: { epochs: 1000, patience: 1000 } } });
    let terminate = (): void => undefined;
    const ended = runJob(embedded, {}, (kill) => {
      terminate = kill;
    });
    await until(() => server.blobs.has('/job-reports/stripes/r-1/t-1/000002.json'));
    terminate();
    expect(await ended).toBe(1);
    expect(last()).toMatchObject({ kind: 'failed', reason: 'terminated' });
  });

  test('keeps within its number of reports', async () => {
    const job = await publishJob({
      heartbeatSeconds: 0.1,
      trainer: { name: 'resnet-small', parameters: { epochs: 30, patience: 30, width: 4 } },
    });
    server.blobs.set(
      '/jobs/job.json',
      Buffer.from(JSON.stringify({ ...job, reports: { ...job.reports, maximum: 4 } })),
    );
    expect(await runJob(embedded)).toBe(0);
    expect(reports().length).toBeLessThanOrEqual(4);
    expectOutputs(last());
  });

  test('leaves a run to the execution that reported first', async () => {
    await publishJob();
    const first = Buffer.from(
      JSON.stringify({ sequence: 1, kind: 'started', at: new Date().toISOString(), execution: 'execution-0' }),
    );
    server.blobs.set('/job-reports/stripes/r-1/t-1/000001.json', first);
    expect(await runJob(embedded)).toBe(0);
    expect(reports()).toHaveLength(1);
    expect(server.reads.has('/jobs/manifest.ndjson')).toBe(false);
  });

  test.each<[string, (path: string) => void, RegExp]>([
    ['arrives changed', (path) => server.blobs.set(path, Buffer.from('something else')), /^it arrived with the MD5/],
    ['is gone', (path) => server.blobs.delete(path), /^its address: GET was answered 404/],
  ])('goes on without a sample that %s, and says which', async (_what, damage, why) => {
    await publishJob();
    const path = [...server.blobs.keys()].find((key) => key.startsWith('/datasets/')) ?? '';
    damage(path);
    expect(await runJob(embedded)).toBe(0);
    expect(reports().flatMap(({ unreadable = [] }) => unreadable)).toEqual([
      { md5: path.slice('/datasets/'.length), reason: expect.stringMatching(why) },
    ]);
    expectOutputs(last());
  });

  test('goes on without a sample that is no picture, as one that the backend let in by mistake', async () => {
    await publishJob();
    const text = Buffer.from('no picture at all');
    const md5 = createHash('md5').update(text).digest('hex');
    const lines = server.blobs.get('/jobs/manifest.ndjson')?.toString('utf8').trim().split('\n') ?? [];
    const first = JSON.parse(lines[0] ?? '') as { url: string };
    lines.push(JSON.stringify({ ...first, url: first.url.replace(/[0-9a-f]{32}/, md5), md5 }));
    server.blobs.set('/jobs/manifest.ndjson', Buffer.from(lines.join('\n'))).set(`/datasets/${md5}`, text);
    expect(await runJob(embedded)).toBe(0);
    expect(reports().flatMap(({ unreadable = [] }) => unreadable)).toMatchObject([{ md5 }]);
  });

  test('fails with more than one of a hundred, and names them in words and for the backend', async () => {
    await publishJob();
    const paths = [...server.blobs.keys()].filter((key) => key.startsWith('/datasets/'));
    for (const path of paths) server.blobs.set(path, Buffer.from('something else'));
    expect(await runJob(embedded)).toBe(1);
    expect(last()).toMatchObject({
      kind: 'failed',
      reason: expect.stringMatching(/of 16 samples cannot be read, more than 1 %: [0-9a-f]{32} \(it arrived/),
    });
    expect(last()?.unreadable?.length).toBeGreaterThan(1);
  });

  test('reports parameters that do not fit', async () => {
    await publishJob({ trainer: { name: 'softmax', parameters: { epochs: -1 } } });
    expect(await runJob(embedded)).toBe(1);
    expect(last()).toMatchObject({ kind: 'failed', reason: expect.stringContaining('epochs') });
  });

  test('reports that CUDA was asked for and does not work', async () => {
    await publishJob();
    expect(await runJob(embedded, { DARKROOM_EXECUTION_PROVIDER: 'cuda' })).toBe(1);
    expect(reports()).toMatchObject([{ kind: 'failed', reason: expect.stringContaining('CUDA was asked for') }]);
  });

  test('describes its trainers and the parameters that they take, without a job', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [trainer, '--describe']);
    expect(trainerDescriptions.parse(JSON.parse(stdout)).trainers).toEqual(builtInDescriptions);
  });

  test('exits with 2 when there is no job', async () => {
    expect(await runJob(embedded, { DARKROOM_JOB_URL: `${server.base}/jobs/none.json` })).toBe(2);
    expect(reports()).toHaveLength(0);
  });
});

describe('a trainer made of curl', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'curl-trainer-'));
    await writeFile(join(folder, 'model.onnx'), encodeModel(tinyModel()));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const environment = (): Record<string, string> => ({
    MODEL: join(folder, 'model.onnx'),
    JSON: `${process.execPath} ${jsonField}`,
  });

  test('fulfils the contract', async () => {
    await publishJob();
    expect(await runJob(['/bin/sh', curlTrainer], environment())).toBe(0);
    expect(reports().map(({ kind }) => kind)).toEqual(['started', 'heartbeat', 'succeeded']);
    expectOutputs(last());
  });

  test('says which image is damaged', async () => {
    await publishJob();
    const path = [...server.blobs.keys()].find((key) => key.startsWith('/datasets/')) ?? '';
    server.blobs.set(path, Buffer.from('something else'));
    expect(await runJob(['/bin/sh', curlTrainer], environment())).toBe(1);
    const md5 = path.slice('/datasets/'.length);
    expect(last()).toMatchObject({ kind: 'failed', unreadable: [{ md5, reason: 'damaged' }] });
  });

  test('is one of the trainers of `npm start`, which hands each job to the trainer that it names', async () => {
    const dispatcher = fileURLToPath(new URL('../../../local/own-trainer.ts', import.meta.url));
    const given = Object.entries(environment()).map(([name, value]) => `${name}='${value}'`);
    const own = { DARKROOM_TRAINERS: `mine=${given.join(' ')} sh ${curlTrainer}; other=false` };
    await publishJob({ trainer: { name: 'mine', parameters: {} } });
    expect(await runJob([process.execPath, dispatcher], own)).toBe(0);
    expect(reports().map(({ kind }) => kind)).toEqual(['started', 'heartbeat', 'succeeded']);
    server.blobs.clear();
    await publishJob({ trainer: { name: 'other', parameters: {} } });
    expect(await runJob([process.execPath, dispatcher], own)).toBe(1);
    expect(reports()).toEqual([]);
    await publishJob();
    expect(await runJob([process.execPath, dispatcher], own)).toBe(0);
    expect(last()?.kind).toBe('succeeded');
  });

  test('ends when its cancellation is asked for', async () => {
    await publishJob({ cancelRequested: true });
    expect(await runJob(['/bin/sh', curlTrainer], environment())).toBe(0);
    expect(last()).toMatchObject({ kind: 'failed', reason: 'cancelled' });
  });
});
