/** What a pull request is told, from Azure's answer to the comment. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { changesAsMarkdown, whatIfResult } from '../../../infra/deploy/changes.ts';

const root = path.resolve(import.meta.dirname, '../../..');
const group = '/subscriptions/s/resourceGroups/rg-darkroom-dev/providers';
const namespace = `${group}/Microsoft.ServiceBus/namespaces/sb-x`;
/** the shape that `az deployment sub what-if --no-pretty-print` prints */
const answer = {
  status: 'Succeeded',
  error: null,
  diagnostics: null,
  changes: [
    {
      resourceId: '/subscriptions/s/resourceGroups/rg-darkroom-dev',
      changeType: 'NoChange',
      before: {},
      after: {},
      delta: null,
    },
    { resourceId: `${namespace}/queues/reviews`, changeType: 'Create', before: null, after: {}, delta: null },
    { resourceId: `${namespace}/queues/old`, changeType: 'Delete', before: {}, after: null, delta: null },
    {
      resourceId: `${namespace}/queues/evaluations`,
      changeType: 'Modify',
      delta: [
        {
          path: 'properties',
          propertyChangeType: 'Modify',
          before: null,
          after: null,
          children: [
            { path: 'lockDuration', propertyChangeType: 'Modify', before: 'PT60S', after: 'PT30S', children: null },
            { path: 'status', propertyChangeType: 'NoEffect', before: 'Active', after: null, children: null },
          ],
        },
        { path: 'tags.`x|y', propertyChangeType: 'Create', after: 'a\nb', children: [] },
      ],
    },
  ],
};

describe('changes as Markdown', () => {
  test('name every resource that is made, changed or deleted, and each property with both values', () => {
    const text = changesAsMarkdown('dev', whatIfResult.parse(answer));
    expect(text).toContain('1 deleted, 1 made, 1 changed, 1 as they are.');
    expect(text.indexOf('**deleted**')).toBeLessThan(text.indexOf('**made**'));
    expect(text).toContain('- `Microsoft.ServiceBus/namespaces/sb-x/queues/old`');
    expect(text).toContain('  - `properties.lockDuration`: `"PT60S"` -> `"PT30S"`');
    expect(text).not.toContain('Active');
    // nothing ends the code that it stands in
    expect(text).toContain('  - `tags. x y`: `nothing` -> `"a\\nb"`');
  });

  test('say when nothing changes, and why Azure could not tell', () => {
    const same = { ...answer, changes: answer.changes.slice(0, 1) };
    expect(changesAsMarkdown('dev', whatIfResult.parse(same))).toContain('Nothing changes (1 resources).');
    const failed = { status: 'Failed', error: { code: 'InvalidTemplate', message: 'no such thing' } };
    expect(changesAsMarkdown('dev', whatIfResult.parse(failed))).toContain('InvalidTemplate: no such thing');
  });

  test('stay within what GitHub takes as a comment', () => {
    const many = Array.from({ length: 5000 }, (_, i) => ({
      resourceId: `${namespace}/queues/q${i}`,
      changeType: 'Create',
    }));
    expect(changesAsMarkdown('dev', { status: 'Succeeded', changes: many }).length).toBeLessThan(65_536);
  });
});

describe('commands', () => {
  let folder: string;
  let github: Server;
  const comments: { id: number; body: string }[] = Array.from({ length: 100 }, (_, id) => ({
    id,
    body: 'of somebody',
  }));
  const env: Record<string, string> = {};

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'what-if-'));
    // stands for the Azure CLI: answers as it does, or fails as it does
    const az = `#!/bin/sh
if [ -n "\${AZURE_LOCATION+set}" ] && [ -z "$AZURE_LOCATION" ]; then echo "AZURE_LOCATION is empty" >&2; exit 3; fi
case "$*" in
  *"deployment sub what-if --location norwayeast"*) echo "ERROR: InvalidTemplateDeployment - quota" >&2; exit 1;;
  "deployment sub what-if --location swedencentral --parameters "*/infra/dev.bicepparam" --no-pretty-print --validation-level ProviderNoRbac --output json")
    cat "${folder}/answer.json";;
  *) echo "unexpected: $*" >&2; exit 2;;
esac
`;
    await writeFile(path.join(folder, 'az'), az, { mode: 0o755 });
    await writeFile(path.join(folder, 'answer.json'), JSON.stringify(answer));
    github = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const say = (status: number, body: unknown) =>
          response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
        if (request.headers.authorization !== 'Bearer t0ken') return say(401, { message: 'Bad credentials' });
        const url = new URL(request.url ?? '', 'http://github');
        if (request.method === 'GET') {
          const page = Number(url.searchParams.get('page'));
          return say(200, comments.slice((page - 1) * 100, page * 100));
        }
        const { body } = z.object({ body: z.string() }).parse(JSON.parse(Buffer.concat(parts).toString()));
        if (request.method === 'POST' && url.pathname === '/repos/o/r/issues/7/comments') {
          comments.push({ id: comments.length, body });
          return say(201, {});
        }
        const one = comments.find(({ id }) => url.pathname === `/repos/o/r/issues/comments/${id}`);
        if (request.method !== 'PATCH' || one === undefined) return say(404, { message: 'Not Found' });
        one.body = body;
        say(200, {});
      });
    });
    await new Promise<void>((resolve) => github.listen(0, '127.0.0.1', resolve));
    Object.assign(env, {
      PATH: `${folder}${path.delimiter}${process.env['PATH'] ?? ''}`,
      GITHUB_API_URL: `http://127.0.0.1:${(github.address() as AddressInfo).port}`,
      GITHUB_REPOSITORY: 'o/r',
      GITHUB_TOKEN: 't0ken',
      GITHUB_STEP_SUMMARY: path.join(folder, 'summary.md'),
    });
  });
  afterAll(async () => {
    github.close();
    await rm(folder, { recursive: true, force: true });
  });

  const run = (
    script: string,
    args: string[],
    more: Record<string, string> = {},
  ): Promise<{ code: number; said: string }> =>
    new Promise((resolve) => {
      const options = { cwd: root, env: { ...env, ...more } };
      execFile(process.execPath, [`infra/deploy/${script}`, ...args], options, (error, stdout, stderr) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, said: stdout + stderr }),
      );
    });

  test('what-if asks Azure for less than writing rights, and tells the run and the pull request', async () => {
    const file = path.join(folder, 'comment.md');
    // a variable that the repository does not have comes as an empty text
    const first = await run('what-if.ts', ['--environment', 'dev', '--file', file], { AZURE_LOCATION: '' });
    expect(first.code, first.said).toBe(0);
    expect(await readFile(file, 'utf8')).toContain('1 deleted');
    expect(await readFile(env['GITHUB_STEP_SUMMARY'] ?? '', 'utf8')).toContain('1 deleted');

    const comment = ['--pull-request', '7', '--topic', 'what-if-dev', '--file', file];
    expect(await run('comment.ts', comment)).toMatchObject({ code: 0, said: 'commented\n' });
    const failed = await run('what-if.ts', ['--environment', 'dev', '--file', file], { AZURE_LOCATION: 'norwayeast' });
    expect(failed.code).toBe(1);
    expect(await run('comment.ts', comment)).toMatchObject({ code: 0, said: 'comment replaced\n' });
    expect(comments).toHaveLength(101);
    expect(comments[100]?.body).toMatch(/^<!-- what-if-dev -->\n.*Azure could not tell: .*quota/s);
  });

  test('what is wrong is said in a sentence', async () => {
    const unknown = await run('what-if.ts', ['--environment', 'staging']);
    expect(unknown).toEqual({
      code: 1,
      said: 'There is no environment staging: infra/staging.bicepparam is missing\n',
    });
    const none = await run('infrastructure.ts', ['--environment', 'dev'], { PATH: '/nowhere' });
    expect(none.code).toBe(1);
    expect(none.said).toContain('Install the Azure CLI and run `az login`');
  });
});
