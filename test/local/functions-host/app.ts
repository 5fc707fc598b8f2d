/** Builds small function apps the way Darkroom is deployed: one ESM bundle, core module external, createRequire banner. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { onTestFinished } from 'vitest';
import {
  startFunctionsHost,
  type FunctionsHost,
  type FunctionsHostOptions,
} from '../../../local/functions-host/host.ts';
import type { LogLine } from '../../../local/functions-host/invoker.ts';

// another name, since a package (fflate) imports createRequire itself
const banner =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

export interface TestHost extends FunctionsHost {
  logs: LogLine[];
  url: string;
  /** Resolves with the first log line whose message contains `text`, waiting up to 10 s for it. */
  logged(text: string): Promise<LogLine>;
}

/** What an app needs for any trigger but HTTP and timers. */
export const extensionBundle = { id: 'Microsoft.Azure.Functions.ExtensionBundle', version: '[4.0.0, 5.0.0)' };

/** Writes an app folder with an extension bundle; `source` may use `app` of @azure/functions. */
export async function writeApp(source: string, hostJson: object = {}, withBanner = true): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'functions-host-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(path.join(folder, 'host.json'), JSON.stringify({ version: '2.0', extensionBundle, ...hostJson }));
  await build({
    stdin: {
      contents: `import { app } from '@azure/functions';\n${source}`,
      resolveDir: import.meta.dirname,
      loader: 'ts',
    },
    outfile: path.join(folder, 'app.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['@azure/functions-core'],
    logLevel: 'silent',
    ...(withBanner && { banner: { js: banner } }),
  });
  return folder;
}

/** Starts a host over an app folder, and closes it when the test ends. */
export async function startHost(appRoot: string, options: Partial<FunctionsHostOptions> = {}): Promise<TestHost> {
  const logs: LogLine[] = [];
  const waiting = new Set<(line: LogLine) => void>();
  const host = await startFunctionsHost({
    appRoot,
    entry: 'app.mjs',
    port: 0,
    settings: {},
    drainTimeoutMs: 1000,
    onLog: (line) => {
      logs.push(line);
      for (const check of waiting) check(line);
    },
    ...options,
  });
  onTestFinished(() => host.close());
  const logged = (text: string) =>
    new Promise<LogLine>((resolve, reject) => {
      const timer = setTimeout(() => {
        const seen = logs.map((line) => line.message).join('\n');
        reject(new Error(`nobody logged '${text}', but:\n${seen}`));
      }, 10_000);
      const check = (line: LogLine) => {
        if (!line.message.includes(text)) return;
        clearTimeout(timer);
        waiting.delete(check);
        resolve(line);
      };
      waiting.add(check);
      for (const line of logs) check(line);
    });
  return { ...host, logs, url: `http://127.0.0.1:${host.port}`, logged };
}

/** Builds an app from `source` and runs it. */
export async function runApp(
  source: string,
  options: Partial<FunctionsHostOptions> = {},
  hostJson: object = {},
): Promise<TestHost> {
  return startHost(await writeApp(source, hostJson), options);
}
