/** What is the embedded trainer's own, beside what every trainer has to do (test/trainers/conformance). */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { trainerDescriptions, builtInDescriptions } from '../../../shared/training/trainers.ts';
import { codeDigest } from '../../../trainers/embedded/code.ts';
import { attempt, type AttemptOrder, type Subject } from '../conformance/attempt.ts';
import { picturePath } from '../conformance/job.ts';
import { judge, reportsOf } from '../conformance/judge.ts';
import { makeSamples } from '../conformance/samples.ts';
import { npmSubjects } from '../conformance/subjects.ts';

const root = path.resolve(import.meta.dirname, '../../..');
const main = path.join(root, 'trainers/embedded/main.ts');
const samples = await makeSamples('classification', 16);
const endSeconds = 60;
const embedded = npmSubjects['embedded'] as Subject;
const curl = npmSubjects['curl'] as Subject;

/** Runs a job to its end. */
const run = (change: Partial<Subject>, order: Partial<AttemptOrder> = {}) =>
  attempt({ ...embedded, ...change }, { samples, ...order }, async (it) => {
    const { code } = await it.end(endSeconds);
    return { code, reports: reportsOf(it), blobs: it.storage.blobs, job: it.job };
  });

describe('the embedded trainer', () => {
  test('reports every epoch, the machine and the code, and says what it learned', async () => {
    const { reports, blobs, job } = await run(
      { parameters: { epochs: 4, width: 4, batchSize: 4 } },
      // none in between, and compute's name for it, of which ours comes first
      {
        change: { heartbeatSeconds: 60 },
        environment: { DARKROOM_EXECUTION: 'execution-1', CONTAINER_APP_JOB_EXECUTION_NAME: 'replica-1' },
      },
    );
    expect(new Set(reports.map(({ execution }) => execution))).toEqual(new Set(['execution-1']));
    expect(reports.map(({ kind }) => kind)).toEqual(['started', ...Array(4).fill('heartbeat'), 'succeeded']);
    expect(reports[0]).toMatchObject({
      machine: { executionProvider: 'cpu', threads: expect.any(Number) },
      code: codeDigest(main),
    });
    expect(reports[1]).toMatchObject({ progress: { phase: 'train', done: 3, total: 12 } });
    expect(reports[1]?.metrics?.map(({ key, step }) => `${key} ${step}`)).toEqual([
      'loss 1',
      'train.accuracy 1',
      'validation.loss 1',
      'validation.accuracy 1',
    ]);
    const read = (name: string): unknown => JSON.parse(blobs.get(job.paths.outputs[name] ?? '')?.toString() ?? '');
    expect(read('smoke.json')).toHaveLength(4);
    expect(read('metrics.json')).toMatchObject({
      samples: { train: 12, validation: 4 },
      final: { validationAccuracy: expect.any(Number) },
    });
  });

  test('goes on reporting while it waits for a picture', async () => {
    const late = picturePath(samples[5]?.md5 ?? '');
    const wrong = await attempt(
      embedded,
      {
        samples,
        change: { heartbeatSeconds: 0.1 },
        prepare: (storage) => {
          storage.trouble = ({ path: asked }) =>
            asked === late ? new Promise((resolve) => setTimeout(() => resolve(undefined), 4000)) : undefined;
        },
      },
      async (it) => {
        const found = await judge(it, await it.end(endSeconds), { last: 'succeeded', disturbed: true });
        const waiting = reportsOf(it).filter(({ progress }) => progress?.phase === 'download');
        return waiting.length < 5 ? [...found, `it sent ${waiting.length} reports while it waited`] : found;
      },
    );
    expect(wrong).toEqual([]);
  });

  test.each<[string, Partial<Subject>, Partial<AttemptOrder>, RegExp]>([
    [
      'of another task kind',
      { trainer: 'centernet' },
      {},
      /there is no trainer centernet for this task: use auto or embedding or edges or softmax or resnet-small/,
    ],
    ['for one class', {}, { change: { classes: ['red'] } }, /needs two classes, and the job names 1/],
    ['with parameters that do not fit', { trainer: 'softmax', parameters: { epochs: -1 } }, {}, /epochs/],
    ['for a GPU that is not there', {}, { environment: { DARKROOM_EXECUTION_PROVIDER: 'cuda' } }, /CUDA was asked for/],
  ])('refuses a job %s', async (_what, change, order, reason) => {
    const { code, reports } = await run(change, order);
    expect(code).toBe(1);
    expect(reports.at(-1)).toMatchObject({ kind: 'failed', reason: expect.stringMatching(reason) });
  });

  test('names in words which samples cannot be read, where they are too many', async () => {
    const { reports } = await run(
      {},
      {
        prepare: (storage) => {
          for (const { md5 } of samples) storage.blobs.set(picturePath(md5), Buffer.from('something else'));
        },
      },
    );
    const reason = /of 16 samples cannot be read, more than 1 %: [0-9a-f]{32} \(it arrived with the MD5/;
    expect(reports.at(-1)).toMatchObject({ kind: 'failed', reason: expect.stringMatching(reason) });
  });

  test('says what it compared, and finds what it computed of the pictures when it trains again', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'features-'));
    const auto = { trainer: 'auto', parameters: { size: 32 } };
    const order = { change: { heartbeatSeconds: 0.1 }, environment: { DARKROOM_FEATURES: folder } };
    const first = await run(auto, order);
    const kept = await readdir(folder, { recursive: true });
    // two folders: of what was chosen all pictures, of the other those that were compared
    expect(kept).toHaveLength(2 + samples.length + samples.filter(({ split }) => split === 'train').length);
    const again = await run(auto, order);
    expect(await readdir(folder, { recursive: true })).toEqual(kept);
    const model = ({ blobs, job }: typeof first) => blobs.get(job.paths.outputs['model.onnx'] ?? '');
    expect(model(again)).toEqual(model(first));
    const told = first.reports.flatMap(({ metrics = [] }) => metrics).filter(({ step }) => step === 0);
    expect(told).toEqual([
      { key: 'cross-validation.embedding', value: expect.any(Number), step: 0 },
      { key: 'cross-validation.edges', value: expect.any(Number), step: 0 },
    ]);
    await rm(folder, { recursive: true });
  }, 90_000);

  test('is cancelled while it looks at pictures', async () => {
    const order = { samples, change: { heartbeatSeconds: 0.1 } };
    const reports = await attempt(
      { ...embedded, trainer: 'embedding', parameters: { size: 512 } },
      order,
      async (it) => {
        await it.until(() => reportsOf(it).some(({ progress }) => progress?.phase === 'features'));
        it.job.revise({ cancelRequested: true });
        expect((await it.end(endSeconds)).code).toBe(0);
        return reportsOf(it);
      },
    );
    expect(reports.at(-1)).toMatchObject({ kind: 'failed', reason: 'cancelled', progress: { phase: 'features' } });
  });

  test('describes its trainers and the parameters that they take, without a job', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [main, '--describe']);
    expect(trainerDescriptions.parse(JSON.parse(stdout)).trainers).toEqual(builtInDescriptions);
  });

  test('exits with 2 when there is no job', async () => {
    const { code, reports } = await run({}, { prepare: (storage, job) => storage.blobs.delete(job.paths.document) });
    expect(code).toBe(2);
    expect(reports).toEqual([]);
  });
});

test('`npm start` hands each job to the trainer that it names', async () => {
  const dispatcher = { command: `'${process.execPath}' '${path.join(root, 'local/own-trainer.ts')}'` };
  const own = { environment: { DARKROOM_TRAINERS: `mine=${curl.command}; other=false` } };
  const mine = await run({ ...curl, ...dispatcher }, own);
  expect(mine.code).toBe(0);
  expect(mine.reports[0]?.execution).toMatch(/^curl-/);
  expect(mine.reports.at(-1)?.kind).toBe('succeeded');
  const other = await run({ ...curl, ...dispatcher, trainer: 'other' }, own);
  expect(other).toMatchObject({ code: 1, reports: [] });
  const builtIn = await run(dispatcher, own);
  expect(builtIn.reports[0]).toMatchObject({ kind: 'started', machine: { executionProvider: 'cpu' } });
  expect(builtIn.reports.at(-1)?.kind).toBe('succeeded');
});
