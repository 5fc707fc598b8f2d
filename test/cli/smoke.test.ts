import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
let server: Server;
let url: string;
const asked: (string | undefined)[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request.url);
    const body = { error: { code: 'unauthorized' }, detail: 'not this key', requestId: '1', status: 401, title: 't' };
    const [status, json] = request.url?.endsWith('/health/live') ? [200, { status: 'live' }] : [401, body];
    response.writeHead(status as number).end(JSON.stringify(json));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

function smoke(...args: string[]): Promise<{ code: number; said: string }> {
  return new Promise((resolve) => {
    const env = { PATH: process.env['PATH'] };
    execFile(process.execPath, ['cli/smoke.ts', ...args], { cwd: root, env }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, said: stdout + stderr });
    });
  });
}

describe('the smoke test', () => {
  test('says what is wrong with its arguments, with exit code 2', async () => {
    for (const args of [[], ['--url', 'somewhere', '--key', 'dk_x'], ['--url', 'http://h'], ['--what']]) {
      const { code, said } = await smoke(...args);
      expect(code).toBe(2);
      expect(said).toContain('Usage: npm run smoke');
    }
  });

  test('ends with exit code 3, before it changes anything, when the key is refused', async () => {
    const { code, said } = await smoke('--url', `${url}/api/v1`, '--key', 'dk_wrong');
    expect(said).toContain('401');
    expect(code).toBe(3);
    expect(asked).toEqual(['/api/v1/health/live', '/api/v1/health/ready']);
  });
});
