import { describe, expect, test } from 'vitest';
import { encodeModel } from '../../../shared/onnx/encode.ts';
import { createModelCheck } from '../../../shared/onnx/model-check.ts';
import { validateModel } from '../../../shared/onnx/validate.ts';
import { endlessModel, greedyModel } from './nasty-models.ts';
import { tinyModel, tinySpec } from './tiny-model.ts';

const good = encodeModel(tinyModel());
const endless = encodeModel(endlessModel());
const limits = { timeoutMs: 20_000, maxMemoryBytes: 1 << 30 };

describe('the check of untrusted models', () => {
  test('refuses in bounded time a model that reads well and never ends loading, and goes on with the next', async () => {
    expect(validateModel(endless, tinySpec).ok).toBe(true);
    const check = createModelCheck({ ...limits, timeoutMs: 1500 });
    const startedAt = performance.now();
    const [refused, taken] = await Promise.all([check(endless, tinySpec), check(good, tinySpec)]);
    expect(performance.now() - startedAt).toBeLessThan(6000);
    expect(refused).toMatchObject({ ok: false, reason: 'does-not-run-timeout' });
    expect(taken).toEqual({ ok: true });
  });

  test.runIf(process.platform === 'linux')('refuses a small file that takes a lot of memory', async () => {
    const greedy = encodeModel(greedyModel());
    expect(greedy.length).toBeLessThan(1000);
    const check = createModelCheck({ ...limits, maxMemoryBytes: 3e8 });
    expect(await check(greedy, tinySpec)).toMatchObject({ ok: false, reason: 'does-not-run-memory' });
    expect(await check(good, tinySpec)).toEqual({ ok: true });
  });

  test('does not try what cannot be read, or is not what the project expects', async () => {
    const check = createModelCheck(limits);
    expect(await check(Buffer.from('no model'), tinySpec)).toMatchObject({ ok: false, reason: 'malformed' });
    const fiveClasses = { ...tinySpec, classes: 5 };
    expect(await check(good, fiveClasses)).toMatchObject({ ok: false, reason: 'wrong-output' });
  });

  test('tries one model at a time', async () => {
    const check = createModelCheck({ ...limits, timeoutMs: 300 });
    const startedAt = performance.now();
    const all = await Promise.all([check(endless, tinySpec), check(endless, tinySpec), check(endless, tinySpec)]);
    expect(performance.now() - startedAt).toBeGreaterThan(900);
    for (const one of all) expect(one).toMatchObject({ reason: 'does-not-run-timeout' });
  });
});
