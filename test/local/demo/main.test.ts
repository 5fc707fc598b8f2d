import { execFile } from 'node:child_process';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { usage } from '../../../local/demo/arguments.ts';

const root = path.resolve(import.meta.dirname, '../../..');

interface Ended {
  code: unknown;
  stdout: string;
  stderr: string;
}

/** Runs the demo where it can make no folder of its own, so that none of these starts a platform. */
const demo = (...args: string[]): Promise<Ended> =>
  new Promise((resolve) => {
    const env = { ...process.env, TMPDIR: '/nowhere' };
    execFile(process.execPath, ['local/demo/main.ts', ...args], { cwd: root, env }, (error, stdout, stderr) => {
      resolve({ code: error?.code ?? 0, stdout, stderr });
    });
  });

describe('a demo that fails', () => {
  test('says why on stderr, and nothing on stdout', async () => {
    const { code, stdout, stderr } = await demo('pictures');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain("The demo did not begin. Unexpected argument 'pictures'. Usage: npm run demo");
  });

  test.each([
    [['--foo'], 2, { code: 'wrong-arguments', message: `Unknown option '--foo'. Usage: ${usage}` }],
    [['--short'], 2, { code: 'wrong-arguments', message: `'--short' is for detection. Usage: ${usage}` }],
    [
      ['detection', '--images', '.'],
      2,
      { code: 'wrong-arguments', message: `'detection' makes its own images. Usage: ${usage}` },
    ],
    [['detection', 'now'], 2, { code: 'wrong-arguments', message: `Unexpected argument 'now'. Usage: ${usage}` }],
    [['--images', '/nowhere'], 2, { code: 'unusable-images', message: expect.stringContaining('no /nowhere') }],
    [[], 1, { code: 'step-failed', message: expect.stringContaining('/nowhere/darkroom-demo-') }],
  ])('for %j is one JSON document with --json', async (args, expected, error: unknown) => {
    const { code, stdout, stderr } = await demo(...args, '--json');
    expect(code).toBe(expected);
    expect(JSON.parse(stdout)).toEqual({ error });
    expect(stderr).toContain('The demo did not ');
  });
});
