/** The functions host around an app that only takes a body and answers: what HTTP costs before anything of ours runs. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { tmpdir } from 'node:os';
import { build } from 'esbuild';
import { startFunctionsHost } from '../../local/functions-host/host.ts';
import { bundling } from '../../local/build.ts';

/** Reads the body whole, as a score does, and gives the answer that its query names in length. */
const source = `
  import { app } from '@azure/functions';
  app.setup({ enableHttpStream: true });
  app.http('bare', {
    methods: ['POST'],
    authLevel: 'anonymous',
    handler: async (request) => {
      await request.arrayBuffer();
      const filler = 'x'.repeat(Number(request.query.get('bytes')));
      return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify({ filler }) };
    },
  });
`;

/** Starts it; `url(n)` is answered with n bytes of JSON and its envelope. */
export async function startBareHost(): Promise<{ url(bytes: number): string; close(): Promise<void> }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'darkroom-bare-'));
  await writeFile(path.join(folder, 'host.json'), JSON.stringify({ version: '2.0' }));
  const entry = path.join(folder, 'app.mjs');
  await build({ ...bundling, stdin: { contents: source, resolveDir: import.meta.dirname }, outfile: entry });
  const host = await startFunctionsHost({
    appRoot: folder,
    entry,
    port: 0,
    settings: {},
    onLog: () => undefined,
  });
  return {
    url: (bytes) => `http://127.0.0.1:${host.port}/api/bare?bytes=${bytes}`,
    async close() {
      await host.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
