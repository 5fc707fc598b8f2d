import { describe, expect, test } from 'vitest';
import { classifierLine } from '../../../shared/task/classification/manifest.ts';
import { jobDocument, jobReport, smokeFile } from '../../../shared/training/job-contract.ts';

const url = 'http://127.0.0.1:10000/account/jobs/x?sig=y';
const job = {
  ...{ run: 't1', project: 'digits', token: 'r1', attempt: 1, manifestUrl: url, classes: ['a', 'b'] },
  ...{
    image: { width: 28, height: 28, channels: 1 },
    trainer: { name: 'softmax', parameters: { epochs: 3 } },
    seed: 1,
  },
  ...{ datasetVersion: 'v1', deadline: '2026-03-01T12:00:00.000Z', heartbeatSeconds: 10 },
  outputs: { 'model.onnx': url, 'metrics.json': url, 'smoke.json': url },
  reports: { urlTemplate: 'http://127.0.0.1/job-reports/digits/t1/r1/{sequence}.json?sig=y', maximum: 100 },
  cancelRequested: false,
};
const told = { sequence: 1, at: '2026-03-01T13:00:00+01:00', execution: 'trainer-1' };
const output = { sha256: 'a'.repeat(64), sizeBytes: 1 };

describe('a job document', () => {
  test('is what the backend writes', () => {
    expect(jobDocument.parse(job)).toEqual(job);
    const checkpoint = { putUrl: url, getUrls: [url, url], maximumBytes: 2e9 };
    expect(jobDocument.parse({ ...job, checkpoint })).toEqual({ ...job, checkpoint });
  });

  test('says which version of the contract it is; one that does not say is the first', () => {
    expect(jobDocument.parse({ ...job, version: 1 })).toEqual({ ...job, version: 1 });
    const { error } = jobDocument.safeParse({ ...job, version: 2 });
    expect(error?.issues).toMatchObject([{ path: ['version'], message: expect.stringContaining('only version 1') }]);
  });

  test.each([
    ['a class without a name', { classes: ['a', ''] }],
    ['no whole number of reports', { reports: { ...job.reports, maximum: 1.5 } }],
    ['a template without a place for the number', { reports: { ...job.reports, urlTemplate: url } }],
    ['another protocol', { manifestUrl: 'file:///etc/passwd' }],
    ['an id that is a path', { run: '../t1' }],
    ['a seed that is no seed', { seed: -1 }],
  ])('with %s is refused', (_, more) => {
    expect(jobDocument.safeParse({ ...job, ...more }).success).toBe(false);
  });
});

describe('a report', () => {
  test.each([
    { ...told, kind: 'started' },
    { ...told, version: 1, kind: 'started' },
    {
      ...told,
      kind: 'heartbeat',
      progress: { phase: 'train', done: 1, total: 3 },
      metrics: [{ key: 'loss', value: 0.1, step: 1 }],
    },
    { ...told, kind: 'succeeded', outputs: { 'model.onnx': output, 'metrics.json': output, 'smoke.json': output } },
    { ...told, kind: 'failed', reason: 'out of memory' },
  ])('of the kind $kind is heard', (report) => {
    expect(jobReport.parse(report)).toEqual(report);
  });

  test.each([
    ['no number', { ...told, kind: 'heartbeat', metrics: [{ key: 'loss', value: null, step: 1 }] }],
    ['a failure without a reason', { ...told, kind: 'failed' }],
    ['success without outputs', { ...told, kind: 'succeeded' }],
    ['a kind nobody knows', { ...told, kind: 'paused' }],
    ['a version of the contract that is not known', { ...told, version: 2, kind: 'started' }],
    ['the number 0', { ...told, sequence: 0, kind: 'started' }],
    ['progress beyond reason', { ...told, kind: 'heartbeat', progress: { phase: '', done: -1, total: 0 } }],
  ])('with %s is refused', (_, report) => {
    expect(jobReport.safeParse(report).success).toBe(false);
  });
});

test('a manifest holds no test sample, and smoke answers say whose they are', () => {
  const line = { url, md5: 'a'.repeat(32), label: 'a', split: 'train' };
  expect(classifierLine.safeParse(line).success).toBe(true);
  expect(classifierLine.safeParse({ ...line, split: 'test' }).success).toBe(false);
  expect(smokeFile.safeParse([{ md5: 'a'.repeat(32), probabilities: [0.5, 0.5] }]).success).toBe(true);
  expect(smokeFile.safeParse([{ md5: '../../etc', probabilities: [1] }]).success).toBe(false);
});
