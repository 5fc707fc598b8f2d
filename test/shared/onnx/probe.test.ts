import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeModel } from '../../../shared/onnx/encode.ts';
import { probeModel } from '../../../shared/onnx/probe.ts';
import { endlessModel } from './nasty-models.ts';
import { tinyModel, tinyEnds } from './tiny-model.ts';

const entry = fileURLToPath(new URL('../../../shared/onnx/probe-child.ts', import.meta.url));
const limits = { timeoutMs: 20_000, maxMemoryBytes: 1 << 30 };
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'probe-'));
});
afterAll(() => rm(folder, { recursive: true }));

const program = async (name: string, source: string): Promise<string> => {
  const path = join(folder, name);
  await writeFile(path, source);
  return path;
};

describe('probeModel', () => {
  test('takes a model that runs', async () => {
    expect(await probeModel(encodeModel(tinyModel()), tinyEnds, entry, limits)).toEqual({ ok: true });
  });

  test('works from a bundle beside the original', async () => {
    const outfile = fileURLToPath(
      new URL(`../../../node_modules/.cache/probe-child-${process.pid}.mjs`, import.meta.url),
    );
    await build({
      entryPoints: [entry],
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      external: ['onnxruntime-node'],
      logLevel: 'silent',
    });
    expect(await probeModel(encodeModel(tinyModel()), tinyEnds, outfile, limits)).toEqual({ ok: true });
    await rm(outfile);
  });

  test('refuses what onnxruntime refuses', async () => {
    const model = tinyModel();
    model.nodes[1] = {
      op: 'Gemm',
      inputs: ['flat', 'weights', 'bias'],
      outputs: ['logits'],
      attributes: { transB: { int: 1 } },
    };
    expect(await probeModel(encodeModel(model), tinyEnds, entry, limits)).toMatchObject({
      ok: false,
      reason: 'refused',
    });
  });

  test('refuses outputs that are no probabilities', async () => {
    const model = tinyModel();
    model.nodes[2] = { op: 'Identity', inputs: ['logits'], outputs: ['probabilities'] };
    expect(await probeModel(encodeModel(model), tinyEnds, entry, limits)).toMatchObject({
      ok: false,
      reason: 'no-probabilities',
      detail: expect.stringContaining('the outputs are not probabilities (-127 to 127, 0.00 in all)'),
    });
  });

  test('ends a child that hangs', async () => {
    const hanging = await program('hang.mjs', 'for (;;);');
    const result = await probeModel(encodeModel(tinyModel()), tinyEnds, hanging, { ...limits, timeoutMs: 300 });
    expect(result).toMatchObject({ ok: false, reason: 'timeout' });
  });

  test('leaves nothing running when the parent was killed: the child ends itself', async () => {
    const model = encodeModel(endlessModel());
    const args = [entry, JSON.stringify(tinyEnds), String(model.length), '300'];
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'ignore', 'ignore'] });
    child.stdin.end(model);
    expect(await once(child, 'close')).toEqual([null, 'SIGKILL']);
  });

  test('survives a child that crashes', async () => {
    const crashing = await program('crash.mjs', 'process.abort();');
    expect(await probeModel(encodeModel(tinyModel()), tinyEnds, crashing, limits)).toMatchObject({
      ok: false,
      reason: 'crashed',
    });
  });

  test.runIf(process.platform === 'linux')('ends a child that takes too much memory', async () => {
    const greedy = await program('greedy.mjs', 'const b = Buffer.alloc(3e8, 1); setInterval(() => b[0]++, 1000);');
    const result = await probeModel(encodeModel(tinyModel()), tinyEnds, greedy, { ...limits, maxMemoryBytes: 2e8 });
    expect(result).toMatchObject({ ok: false, reason: 'memory' });
  });
});
