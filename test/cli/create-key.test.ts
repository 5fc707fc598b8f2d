import { execFile } from 'node:child_process';
import path from 'node:path';
import { expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');

/** In a fresh shell: nothing of a platform is in the environment. */
function createKey(args: string[], settings = {}): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const env = { PATH: process.env['PATH'], ...settings };
    execFile(process.execPath, ['cli/create-key.ts', ...args], { cwd: root, env }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}

test('wrong arguments of create-key end with exit code 2 and its usage', async () => {
  for (const args of [['--what'], ['--role', 'king'], ['--project', 'No Name'], ['--cosmos', 'http://h'], ['more']]) {
    const { code, stdout, stderr } = await createKey(args);
    expect([code, stdout], args.join(' ')).toEqual([2, '']);
    expect(stderr).toContain('Usage: npm run create-key');
  }
});

test('without settings create-key says which are missing and the command that sets them, with exit code 1', async () => {
  const { code, stdout, stderr } = await createKey(['--role', 'operator']);
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toContain('COSMOS__accountEndpoint is not set');
  expect(stderr).toContain('set -a; . .darkroom/settings.env; set +a');
  expect(stderr).not.toMatch(/^ +at /m);
});

test('with the settings of a platform that has ended create-key asks whether it runs, with exit code 1', async () => {
  const { code, stderr } = await createKey([], {
    SERVICEBUS: 'Endpoint=sb://127.0.0.1:1;SharedAccessKeyName=a;SharedAccessKey=b',
    COSMOS__accountEndpoint: 'http://127.0.0.1:1',
    COSMOS__accountKey: 'a2V5',
    BLOB__serviceUri: 'http://127.0.0.1:1/devstoreaccount1',
    BLOB__accountName: 'devstoreaccount1',
    BLOB__accountKey: 'a2V5',
    COMPUTE__jobId: '/subscriptions/x',
    COMPUTE__accessToken: 'local',
  });
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /^A key was not made\. The document store did not answer .*Is what the settings name running\?/,
  );
});
