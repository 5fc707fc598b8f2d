/** The Bicep compiler as one process that answers JSON-RPC: it starts once, where each command of its CLI takes seconds. */
import { spawn } from 'node:child_process';
import { createMessageConnection } from 'vscode-jsonrpc/node';
import * as z from 'zod';

const answerTimeoutMs = 60_000;

const diagnostic = z.object({
  source: z.string(),
  range: z.object({ start: z.object({ line: z.number(), char: z.number() }) }),
  level: z.string(),
  code: z.string(),
  message: z.string(),
});
const compiled = z.object({
  success: z.boolean(),
  diagnostics: z.array(diagnostic),
  contents: z.string().nullish(),
  parameters: z.string().nullish(),
});

export type Diagnostic = z.infer<typeof diagnostic>;

export interface Compiler {
  version(): Promise<string>;
  /** ARM JSON of a .bicep file, with everything the compiler and its linter have to say, modules included */
  compile(file: string): Promise<z.infer<typeof compiled>>;
  compileParameters(file: string): Promise<z.infer<typeof compiled>>;
  /** the file's text as the formatter writes it */
  format(file: string): Promise<string>;
  /** what a deployment with these parameters would make, evaluated offline; `resourceGroup` only for templates of one */
  snapshot(file: string, resourceGroup: string | null): Promise<string>;
  close(): void;
}

/** Any ids: no subscription is asked. */
const metadata = { subscriptionId: '00000000-0000-0000-0000-000000000001', location: 'swedencentral' };
/** Parameter files read these from the environment; snapshots must not depend on who makes them. */
const fixedEnvironment = {
  TRAINER_IMAGE: `ghcr.io/example/darkroom-trainer@sha256:${'0'.repeat(64)}`,
  // what azd sets
  AZURE_ENV_NAME: 'main',
  AZURE_LOCATION: 'swedencentral',
  AZURE_PRINCIPAL_ID: '11111111-1111-1111-1111-111111111111',
  AZURE_PRINCIPAL_TYPE: 'User',
  DARKROOM_COMPUTE: 't4',
};

/** Starts the compiler at `program`; `close` ends it. Calls are rejected when it ends or does not answer in a minute. */
export function openCompiler(program: string): Compiler {
  const { PATH, HOME, TMPDIR } = process.env;
  const inherited = Object.entries({ PATH, HOME, TMPDIR }).filter(([, value]) => value !== undefined);
  const child = spawn(program, ['jsonrpc', '--stdio'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...Object.fromEntries(inherited), ...fixedEnvironment },
  });
  const connection = createMessageConnection(child.stdout, child.stdin);
  const ended = new Promise<never>((_, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`the compiler ended with ${code}`)));
    connection.onError(([error]) => reject(error));
  });
  // whoever waits for an answer hears of it
  ended.catch(() => undefined);
  connection.listen();

  async function call(method: string, parameters: object): Promise<unknown> {
    const late = AbortSignal.timeout(answerTimeoutMs);
    const tooLate = new Promise<never>((_, reject) => {
      late.addEventListener('abort', () => reject(new Error(`bicep/${method} took more than a minute`)));
    });
    return Promise.race([connection.sendRequest(`bicep/${method}`, parameters), ended, tooLate]);
  }

  return {
    version: async () => z.object({ version: z.string() }).parse(await call('version', {})).version,
    compile: async (path) => compiled.parse(await call('compile', { path })),
    compileParameters: async (path) => compiled.parse(await call('compileParams', { path, parameterOverrides: {} })),
    format: async (path) => z.object({ contents: z.string() }).parse(await call('format', { path })).contents,
    snapshot: async (path, resourceGroup) =>
      z
        .object({ snapshot: z.string() })
        .parse(await call('getSnapshot', { path, metadata: { ...metadata, resourceGroup } })).snapshot,
    close() {
      connection.dispose();
      child.kill();
    },
  };
}
