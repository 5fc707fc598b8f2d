/** The Bicep compiler as one process that answers JSON-RPC: it starts once, where each command of its CLI takes seconds. */
import { spawn } from 'node:child_process';
import * as z from 'zod';

const answerTimeoutMs = 60_000;
const maxMessageBytes = 64 * 1024 * 1024;

const answer = z.object({
  id: z.number(),
  result: z.unknown().optional(),
  error: z.object({ message: z.string() }).optional(),
});
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

/** Splits a stream of `Content-Length` framed messages; returns what is left over. */
function takeMessages(buffer: Buffer, onMessage: (text: string) => void): Buffer {
  let rest = buffer;
  for (;;) {
    const headerEnd = rest.indexOf('\r\n\r\n');
    if (headerEnd < 0) return rest;
    const length = Number(/content-length: (\d+)/i.exec(rest.subarray(0, headerEnd).toString('latin1'))?.[1]);
    if (!Number.isSafeInteger(length) || length > maxMessageBytes)
      throw new Error('the compiler sent a message that cannot be read');
    const end = headerEnd + 4 + length;
    if (rest.length < end) return rest;
    onMessage(rest.subarray(headerEnd + 4, end).toString('utf8'));
    rest = rest.subarray(end);
  }
}

/** Starts the compiler at `program`; `close` ends it. Calls are rejected when it ends or does not answer in a minute. */
export function openCompiler(program: string): Compiler {
  const { PATH, HOME, TMPDIR } = process.env;
  const inherited = Object.entries({ PATH, HOME, TMPDIR }).filter(([, value]) => value !== undefined);
  const child = spawn(program, ['jsonrpc', '--stdio'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...Object.fromEntries(inherited), ...fixedEnvironment },
  });
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  const failAll = (error: Error): void => {
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  let left: Buffer = Buffer.alloc(0);
  child.stdout.on('data', (data: Buffer) => {
    left = takeMessages(Buffer.concat([left, data]), (text) => {
      const { id, result, error } = answer.parse(JSON.parse(text));
      if (error === undefined) waiting.get(id)?.resolve(result);
      else waiting.get(id)?.reject(new Error(error.message));
      waiting.delete(id);
    });
  });
  child.stdin.on('error', failAll);
  child.on('error', failAll);
  child.on('exit', (code) => failAll(new Error(`the compiler ended with ${code}`)));

  let lastId = 0;
  async function call(method: string, parameters: object): Promise<unknown> {
    const id = ++lastId;
    const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, method: `bicep/${method}`, params: parameters }));
    const answered = new Promise<unknown>((resolve, reject) => waiting.set(id, { resolve, reject }));
    const timer = setTimeout(() => failAll(new Error(`bicep/${method} took more than a minute`)), answerTimeoutMs);
    child.stdin.write(`Content-Length: ${body.length}\r\n\r\n`);
    child.stdin.write(body);
    return answered.finally(() => clearTimeout(timer));
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
    close: () => child.kill(),
  };
}
