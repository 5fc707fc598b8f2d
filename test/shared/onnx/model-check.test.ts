import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { encodeModel } from '../../../shared/onnx/encode.ts';
import { createModelCheck } from '../../../shared/onnx/model-check.ts';
import { classifierEnds } from '../../../shared/task/classification/ends.ts';
import { validateModel } from '../../../shared/onnx/validate.ts';
import { endlessModel, greedyModel } from './nasty-models.ts';
import { tinyModel, tinyEnds, tinyShape } from './tiny-model.ts';

const good = encodeModel(tinyModel());
const endless = encodeModel(endlessModel());
const limits = { timeoutMs: 20_000, maxMemoryBytes: 1 << 30 };

describe('the check of untrusted models', () => {
  test('refuses in bounded time a model that reads well and never ends loading, and goes on with the next', async () => {
    expect(validateModel(endless, tinyEnds).ok).toBe(true);
    const check = createModelCheck({ ...limits, timeoutMs: 6000 });
    const [refused, taken] = await Promise.all([check(endless, tinyEnds), check(good, tinyEnds)]);
    expect(refused).toMatchObject({ ok: false, reason: 'does-not-run-timeout' });
    expect(taken).toEqual({ ok: true, metadata: { task: 'tiny' } });
  });

  test.runIf(process.platform === 'linux')('refuses a small file that takes a lot of memory', async () => {
    const greedy = encodeModel(greedyModel());
    expect(greedy.length).toBeLessThan(1000);
    const check = createModelCheck({ ...limits, maxMemoryBytes: 3e8 });
    expect(await check(greedy, tinyEnds)).toMatchObject({ ok: false, reason: 'does-not-run-memory' });
    expect(await check(good, tinyEnds)).toEqual({ ok: true, metadata: { task: 'tiny' } });
  });

  test('does not try what cannot be read, or is not what the project expects', async () => {
    const check = createModelCheck(limits);
    expect(await check(Buffer.from('no model'), tinyEnds)).toMatchObject({ ok: false, reason: 'malformed' });
    const fiveClasses = classifierEnds({ ...tinyShape, classes: 5 });
    expect(await check(good, fiveClasses)).toMatchObject({ ok: false, reason: 'wrong-output' });
  });

  test('goes on with the next model when no process could be started for one', async () => {
    const check = createModelCheck(limits);
    const { execPath } = process;
    try {
      // Node throws here, and does not tell by an event as when the program is missing
      process.execPath = '';
      await expect(check(good, tinyEnds)).rejects.toThrow(/No process could be started to try a model/);
    } finally {
      process.execPath = execPath;
    }
    expect(await check(good, tinyEnds)).toEqual({ ok: true, metadata: { task: 'tiny' } });
  });

  test.runIf(process.platform === 'linux')('goes on when the process has file handles again', () => {
    const program = path.resolve(import.meta.dirname, '../../fixtures/no-handles.ts');
    const shell = `ulimit -n 64 && exec "${process.execPath}" "${program}"`;
    const { stdout, stderr } = spawnSync('sh', ['-c', shell], { encoding: 'utf8', timeout: 25_000 });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual([
      expect.stringMatching(/No process could be started to try a model: spawn .*EMFILE/),
      { ok: true, metadata: { task: 'tiny' } },
    ]);
  });

  test('tries one model at a time', async () => {
    const check = createModelCheck({ ...limits, timeoutMs: 300 });
    const startedAt = performance.now();
    const all = await Promise.all([check(endless, tinyEnds), check(endless, tinyEnds), check(endless, tinyEnds)]);
    expect(performance.now() - startedAt).toBeGreaterThan(900);
    for (const one of all) expect(one).toMatchObject({ reason: 'does-not-run-timeout' });
  });
});
