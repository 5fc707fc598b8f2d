/** The client in a browser: bundled for one, and run with what one has and nothing of Node's. */
import { globSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { build, type BuildResult } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
/** what a page has; no `process`, no `Buffer`, no `require` */
const browser = {
  ...{ fetch, AbortSignal, URL, URLSearchParams, TextEncoder, TextDecoder, setTimeout, clearTimeout, console, Error },
};

let bundle: BuildResult<{ metafile: true; write: false }>;
let server: Server;
let address: string;

beforeAll(async () => {
  const files = globSync('client/*.ts', { cwd: root });
  const contents = files.map((file) => `export * from './${file}';`).join('\n');
  bundle = await build({
    stdin: { contents, resolveDir: root },
    ...{ bundle: true, platform: 'browser', format: 'iife', globalName: 'client', metafile: true, write: false },
    ...{ absWorkingDir: root, logLevel: 'silent', minify: true },
  });
  server = createServer((request, response) => {
    if (request.url === '/api/v1/health/ready') {
      const up = { ok: true, detail: null };
      const dependencies = { documents: up, blobs: up, messages: up, compute: up };
      response.end(JSON.stringify({ status: 'ready', dependencies }));
      return;
    }
    const error = { code: 'unknown-project', message: 'There is none.' };
    const problem = { type: 'urn:x', title: 'x', status: 404, detail: error.message, requestId: 'r1', error };
    response.writeHead(404).end(JSON.stringify(problem));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

describe('the client, bundled for a browser,', () => {
  test('pulls in no module of Node and no SDK', () => {
    const files = Object.keys(bundle.metafile.inputs);
    expect(files).toContain('client/client.ts');
    const packages = files.flatMap((file) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? []);
    expect(new Set(packages)).toEqual(new Set(['zod']));
    // what task kinds say of models is plain data, and where a picture lies in an input plain arithmetic
    const plain = new Set(['shared/onnx/ends.ts', 'shared/image/placement.ts']);
    const apart = files.filter((file) => /^shared\/(azure|image|onnx)\//.test(file));
    expect(apart.filter((file) => !plain.has(file))).toEqual([]);
    const imports = Object.values(bundle.metafile.inputs).flatMap((input) => input.imports);
    expect(imports.filter((one) => one.external).map((one) => one.path)).toEqual([]);
  });

  test('reads an API and quotes its problems', async () => {
    const page = createContext({ ...browser, address });
    runInContext(bundle.outputFiles[0]?.text ?? '', page);
    await runInContext('client.isReady(client.createClient(address, "dk_x"))', page);
    const unknown = runInContext(
      'client.getProject(client.createClient(address, "dk_x"), "none")',
      page,
    ) as Promise<unknown>;
    await expect(unknown).rejects.toThrow('answered 404: unknown-project: There is none. (request r1)');
  });
});
