import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { wakingLimitSeconds } from '../../cli/smoke-test.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
let server: Server;
let url: string;
const asked: (string | undefined)[] = [];
/** requests that an app which has to wake lets pass */
let sleeps = 0;

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request.url);
    if (sleeps-- > 0) return void response.writeHead(503).end();
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

  test('waits for an app that sleeps, and not for one that is not there', async () => {
    expect(wakingLimitSeconds).toBeGreaterThanOrEqual(600);
    const asleep = asked.length;
    sleeps = 5;
    const { code } = await smoke('--url', url, '--key', 'dk_wrong');
    expect(code).toBe(3);
    expect(asked.slice(asleep)).toEqual([
      ...Array.from({ length: 6 }, () => '/api/v1/health/live'),
      '/api/v1/health/ready',
    ]);

    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as AddressInfo;
    closed.close();
    const nobody = await smoke('--url', `http://127.0.0.1:${port}`, '--key', 'dk_wrong');
    expect(nobody.said).toContain('ECONNREFUSED');
    expect(nobody.code).toBe(3);
  });

  test('ends with exit code 3, before it changes anything, when the key is refused', async () => {
    const { code, said } = await smoke('--url', `${url}/api/v1`, '--key', 'dk_wrong');
    expect(said).toContain('401');
    expect(code).toBe(3);
    expect(asked.slice(-2)).toEqual(['/api/v1/health/live', '/api/v1/health/ready']);
  });
});
