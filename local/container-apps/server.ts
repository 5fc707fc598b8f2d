/**
 * A look-alike of Azure Resource Manager for Container Apps jobs, and for what else is handed in: an execution is a local process.
 * Alone: `node local/container-apps/server.ts --port 10004 --data DIR --token TOKEN -- COMMAND ARGS...` serves one job
 * `trainer` to whoever has the token; without one it makes one up and prints it.
 * Protocol: https://learn.microsoft.com/rest/api/containerapps/jobs and .../jobs-executions.
 */
import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { diskRefusal } from '../disk.ts';
import { isSame } from '../identity/is-same.ts';
import { httpServer, type Keyless, resources, scheme, whyNot } from '../identity/keyless.ts';
import { listen, loopback } from '../listen.ts';
import { ArmError, armPath, type ExecutionTemplate } from './arm.ts';
import { openExecutions } from './executions.ts';
import { type JobDefinition, runJobs } from './jobs.ts';
import { type Answer, type ArmService, type Context, programOf, route } from './routes.ts';
import { createOperations, type Trouble } from './trouble.ts';
import { readArguments } from '../read-arguments.ts';

const maxBodyBytes = 1024 * 1024;

export interface ContainerAppsOptions {
  /** 0 picks any free port */
  port: number;
  host?: string;
  /** folder of the executions' records and logs (`executions/NAME/log`) */
  dataDir: string;
  jobs: Record<string, JobDefinition>;
  subscription?: string;
  resourceGroup?: string;
  /** the bearer token that lets a request in; else one is made up, see `accessToken` of the service */
  accessToken?: string;
  /** TLS and tokens of its identity instead */
  keyless?: Keyless;
  /** what the next start calls meet, one by one; more may be added at any time */
  troubles?: Trouble[];
  /** what else ARM serves; whoever made it closes it, after this service */
  others?: ArmService[];
}

export interface ContainerApps {
  port: number;
  /** base address, in place of https://management.azure.com */
  endpoint: string;
  /** the bearer token that it takes without an identity */
  accessToken: string;
  jobResourceId(name: string): string;
  /** Ends running executions (they are Failed afterwards); waiting ones are started by the next service. */
  close(): Promise<void>;
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBodyBytes)
      throw new ArmError(413, 'RequestEntityTooLarge', `A request has at most ${maxBodyBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

async function handle(
  context: Context,
  others: ArmService[],
  whyRefused: (authorization: string) => string | undefined,
  request: IncomingMessage,
  url: URL,
): Promise<Answer> {
  const { authorization = '' } = request.headers;
  if (!/^Bearer \S+$/i.test(authorization)) {
    throw new ArmError(401, 'AuthenticationFailed', "Authentication failed. The 'Authorization' header is missing.");
  }
  const refusal = whyRefused(authorization);
  if (refusal !== undefined) throw new ArmError(401, 'InvalidAuthenticationToken', refusal);
  const version = url.searchParams.get('api-version');
  if (version === null || version === '') {
    throw new ArmError(
      400,
      'MissingApiVersionParameter',
      'The api-version query parameter (?api-version=) is required for all requests.',
    );
  }
  const polled = context.operations.poll(url.pathname);
  if (polled !== undefined) return polled;
  const { method = 'GET' } = request;
  const asked = { origin: url.origin, version, body: await readBody(request) };
  const path = armPath(url.pathname);
  if (path !== undefined) return route(context, method, path, asked);
  for (const other of others) {
    const answer = other.route(method, url.pathname, asked, url.searchParams);
    if (answer !== undefined) return answer;
  }
  throw new ArmError(404, 'InvalidResourceType', `Nothing is served locally at ${url.pathname}`);
}

function sendPage(response: ServerResponse, page: string): void {
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' });
  response.end(page);
}

function send(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers });
  response.end(JSON.stringify(body));
}

function unexpected(error: unknown): ArmError {
  const full = diskRefusal(error);
  return full === undefined
    ? new ArmError(500, 'InternalServerError', String(error))
    : new ArmError(503, 'ServiceUnavailable', full);
}

function refusal(error: unknown): Answer {
  const known = error instanceof ArmError ? error : unexpected(error);
  return { status: known.status, body: { error: { code: known.code, message: known.message } } };
}

/**
 * Starts the service. Executions are on disk: a new service takes over processes that outlived a killed one, and
 * marks Failed those that did not. Throws when the port is taken.
 */
export async function startContainerApps(options: ContainerAppsOptions): Promise<ContainerApps> {
  const host = options.host ?? loopback;
  const subscription = options.subscription ?? '00000000-0000-0000-0000-000000000000';
  const resourceGroup = options.resourceGroup ?? 'darkroom-local';
  await mkdir(options.dataDir, { recursive: true });
  const state: { context?: Context } = {};
  const accessToken = options.accessToken ?? randomUUID();
  const { keyless } = options;
  const whyRefused = (authorization: string): string | undefined => {
    if (keyless !== undefined) return whyNot(keyless, authorization, resources.arm);
    return isSame(authorization.replace(/^Bearer /i, ''), accessToken) ? undefined : 'The access token is invalid.';
  };
  const { others = [] } = options;
  const server = httpServer(keyless, (request, response) => {
    const { context } = state;
    const url = new URL(request.url ?? '/', `${scheme(keyless)}://${request.headers.host ?? host}`);
    const page = others.map((other) => other.page(url.pathname)).find((text) => text !== undefined);
    if (page !== undefined) return sendPage(response, page);
    const answer =
      context === undefined
        ? Promise.reject(new ArmError(503, 'ServiceUnavailable', 'starting'))
        : handle(context, others, whyRefused, request, url);
    answer.catch(refusal).then(
      (found) => send(response, found),
      () => response.destroy(),
    );
  });
  const port = await listen(server, {
    port: options.port,
    host,
    purpose: 'the training jobs',
    setting: 'ports.arm (--port)',
  });
  const executions = openExecutions<ExecutionTemplate>(join(options.dataDir, 'executions.sqlite'));
  const jobs = runJobs(options.jobs, executions, options.dataDir, programOf);
  const troubles = options.troubles ?? [];
  state.context = {
    jobs,
    definitions: options.jobs,
    executions,
    troubles,
    operations: createOperations('Microsoft.App'),
  };
  return {
    port,
    endpoint: `${scheme(keyless)}://${host}:${port}`,
    accessToken,
    jobResourceId: (name) =>
      `/subscriptions/${subscription}/resourceGroups/${resourceGroup}/providers/Microsoft.App/jobs/${name}`,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
      await jobs.close();
      executions.close();
    },
  };
}

async function main(): Promise<void> {
  const { values, positionals } = readArguments(
    'node local/container-apps/server.ts [--port 10004] [--data DIR] [--token TOKEN] [--memory-mb N] [--timeout-seconds N] -- COMMAND ARGS',
    {
      options: {
        port: { type: 'string', default: '10004' },
        data: { type: 'string', default: '.darkroom/container-apps' },
        token: { type: 'string' },
        'memory-mb': { type: 'string', default: '2048' },
        'timeout-seconds': { type: 'string', default: '1800' },
      },
      allowPositionals: true,
    },
  );
  if (positionals.length === 0) throw new Error('Say what the job runs: ... -- COMMAND ARGS');
  const service = await startContainerApps({
    port: Number(values.port),
    dataDir: values.data,
    ...(values.token === undefined ? {} : { accessToken: values.token }),
    jobs: {
      trainer: {
        command: positionals,
        cwd: process.cwd(),
        memoryMb: Number(values['memory-mb']),
        timeoutSeconds: Number(values['timeout-seconds']),
        maxParallel: 1,
      },
    },
  });
  console.log(
    `ready ${service.port}\nTraining jobs: ${service.endpoint}${service.jobResourceId('trainer')}\nAccess token: ${service.accessToken}`,
  );
  const stop = () => void service.close();
  process.once('SIGINT', stop).once('SIGTERM', stop);
}

if (import.meta.main) await main();
