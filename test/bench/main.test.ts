/** `npm run bench` as a process: its arguments, its JSON, its exit codes. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { atMost, figure, notMeasured } from './bench.ts';
import { runBenches, verdict } from './run.ts';

const root = path.resolve(import.meta.dirname, '../..');
const report = z.strictObject({
  machine: z.strictObject({
    cpu: z.string(),
    cores: z.number(),
    memoryGb: z.number(),
    node: z.string(),
    platform: z.string(),
  }),
  benches: z.array(
    z.strictObject({
      name: z.string(),
      value: z.number().nullable(),
      unit: z.string(),
      goal: z.string().nullable(),
      holds: z.boolean(),
      reason: z.string().optional(),
    }),
  ),
});

function bench(args: string[], more: Record<string, string> = {}) {
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    const env = { PATH: process.env['PATH'], ...more };
    execFile(process.execPath, ['test/bench/main.ts', ...args], { cwd: root, env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

describe('npm run bench', () => {
  test.each([
    { args: ['--foo'], why: '--foo' },
    { args: ['ingest'], why: 'ingest' },
    { args: ['--only'], why: '--only' },
    { args: ['--only', 'nothing'], why: 'There is no bench nothing.' },
    // what every object has is no bench
    { args: ['--only', 'constructor'], why: 'There is no bench constructor.' },
  ])('says what is wrong with $args, with exit code 2 and without a stack trace', async ({ args, why }) => {
    const { code, stdout, stderr } = await bench(args);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain(why);
    expect(stderr).toContain('with NAME one of services, import, versions');
    expect(stderr).not.toContain('    at ');
  });

  test('prints one JSON document, and the machine and what people read on stderr', async () => {
    const { code, stdout, stderr } = await bench(['--only', 'training', '--quick', '--json']);
    expect(code).toBe(0);
    const { machine, benches } = report.parse(JSON.parse(stdout));
    expect(benches.map(({ name }) => name)).toContain('train-seconds');
    expect(stderr.split('\n')[0]).toContain(machine.node);
    // a bench without a goal must not look like one whose goals were met
    expect(stderr).toContain('no goal was judged');
  });

  test('a bench that fails is in the JSON, with the reason, and makes the exit code 1', async () => {
    const { code, stdout, stderr } = await bench(['--only', 'services', '--json'], { TMPDIR: '/does/not/exist' });
    expect(code).toBe(1);
    const [failed, ...others] = report.parse(JSON.parse(stdout)).benches;
    expect(others).toEqual([]);
    expect(failed).toMatchObject({ name: 'services', value: null, goal: 'is measured', holds: false });
    expect(failed?.reason).toContain('/does/not/exist');
    expect(stderr).toContain('missed: services');
  });
});

describe('benches', () => {
  test('run on after one that fails', async () => {
    const lines: string[] = [];
    const figures = await runBenches(
      {
        first: () => Promise.reject(new Error('the disk is full')),
        second: () => Promise.resolve([atMost('second-ratio', 0.25, 'ratio', 0.5), figure('second-rate', 1234, '1/s')]),
      },
      { quick: true, say: (line) => lines.push(line) },
    );
    expect(figures.map(({ name, holds }) => [name, holds])).toEqual([
      ['first', false],
      ['second-ratio', true],
      ['second-rate', true],
    ]);
    expect(lines).toContain('  first: FAILED: the disk is full');
    expect(lines.some((line) => /second-ratio +0\.250 ratio +<= 0\.5 holds$/.test(line))).toBe(true);
    expect(verdict(figures)).toBe('missed: first');
    expect(verdict(figures.slice(1))).toBe('every goal holds');
  });

  test('that cannot be measured here miss no goal', () => {
    expect(verdict([notMeasured('peak', 'MB', 'no /proc')])).toBe('no goal was judged');
    expect(verdict([notMeasured('peak', 'MB', 'no /proc'), atMost('other', 1, 's', 2)])).toBe('every goal holds');
  });
});
