/**
 * A look-alike of Azure Resource Manager for Container Apps jobs: an execution is a local process.
 * Alone: `node local/container-apps/server.ts --port 10004 --data DIR -- COMMAND ARGS...` serves one job `trainer`.
 * Protocol: https://learn.microsoft.com/rest/api/containerapps/jobs and .../jobs-executions.
 */
import { mkdir } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { httpServer, type Keyless, resources, scheme, whyNot } from '../identity/keyless.ts';
import { listen, loopback } from '../listen.ts';
import { ArmError, type ArmPath, armPath, executionTemplate, type ExecutionTemplate } from './arm.ts';
import { type Executions, openExecutions, type StoredExecution } from './executions.ts';
import { type JobDefinition, type Jobs, runJobs } from './jobs.ts';

const maxBodyBytes = 1024 * 1024;
/** the image that the template names; there is none locally, but a start without one is refused as in Azure */
const localImage = 'local.invalid/darkroom-job:process';

export interface ContainerAppsOptions {
  /** 0 picks any free port */
  port: number;
  host?: string;
  /** folder of the executions' records and logs (`executions/NAME/log`) */
  dataDir: string;
  jobs: Record<string, JobDefinition>;
  subscription?: string;
  resourceGroup?: string;
  /** TLS and tokens of its identity; else any token will do */
  keyless?: Keyless;
}

export interface ContainerApps {
  port: number;
  /** base address, in place of https://management.azure.com */
  endpoint: string;
  jobResourceId(name: string): string;
  /** Ends running executions (they are Failed afterwards); waiting ones are started by the next service. */
  close(): Promise<void>;
}

interface Answer {
  status: number;
  headers?: Record<string, string>;
  body: unknown;
}

interface Context {
  jobs: Jobs;
  definitions: Record<string, JobDefinition>;
  executions: Executions;
  keyless: Keyless | undefined;
}

const defaultTemplate = (job: string): ExecutionTemplate => ({
  containers: [{ name: job, image: localImage, env: [], resources: { cpu: 1, memory: '2Gi' } }],
});

const executionBody = (e: StoredExecution, jobId: string) => ({
  id: `${jobId}/executions/${e.name}`,
  name: e.name,
  type: 'Microsoft.App/jobs/executions',
  properties: {
    status: e.status,
    startTime: e.startTime,
    ...(e.endTime === undefined ? {} : { endTime: e.endTime }),
    template: e.template,
  },
});

const jobBody = (jobId: string, name: string, job: JobDefinition) => ({
  id: jobId,
  name,
  type: 'Microsoft.App/jobs',
  location: 'local',
  properties: {
    provisioningState: 'Succeeded',
    configuration: {
      triggerType: 'Manual',
      replicaTimeout: job.timeoutSeconds,
      replicaRetryLimit: 0,
      manualTriggerConfig: { parallelism: 1, replicaCompletionCount: 1 },
    },
    template: defaultTemplate(name),
  },
});

function readTemplate(body: string, job: string): ExecutionTemplate {
  if (body.trim() === '') return defaultTemplate(job);
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    throw new ArmError(400, 'InvalidRequestContent', 'The request content is not valid JSON');
  }
  // an empty object is no override
  if (typeof json === 'object' && json !== null && Object.keys(json).length === 0) return defaultTemplate(job);
  const parsed = executionTemplate.safeParse(json);
  if (!parsed.success) throw new ArmError(400, 'InvalidRequestContent', z.prettifyError(parsed.error));
  return parsed.data;
}

/** Long-running operations answer 202 with the address of their result; here it is the execution itself. */
const accepted = (context: { origin: string; version: string }, path: string, body: unknown): Answer => ({
  status: 202,
  headers: { location: `${context.origin}${path}?api-version=${context.version}`, 'retry-after': '1' },
  body,
});

function route(
  context: Context,
  method: string,
  path: ArmPath,
  request: { origin: string; version: string; body: string },
): Answer {
  const { jobId, job, rest } = path;
  const definition = Object.hasOwn(context.definitions, job) ? context.definitions[job] : undefined;
  if (definition === undefined) {
    throw new ArmError(404, 'ResourceNotFound', `The Resource 'Microsoft.App/jobs/${job}' was not found.`);
  }
  const [verb, name, action] = rest;
  const operation = `${method} ${[verb, name === undefined ? undefined : '*', action].filter(Boolean).join('/')}`;
  if (operation === 'GET ') return { status: 200, body: jobBody(jobId, job, definition) };
  if (operation === 'GET executions') {
    return {
      status: 200,
      body: { value: context.executions.list(job).map((e) => executionBody(e, jobId)), nextLink: null },
    };
  }
  if (operation === 'POST start') {
    const started = context.jobs.start(job, readTemplate(request.body, job));
    const id = `${jobId}/executions/${started.name}`;
    return accepted(request, id, { name: started.name, id });
  }
  const execution = name === undefined ? undefined : context.executions.get(job, name);
  if (operation === 'GET executions/*' || operation === 'POST executions/*/stop') {
    if (execution === undefined) {
      throw new ArmError(404, 'JobExecutionNotFound', `Job execution '${name}' of job '${job}' was not found.`);
    }
    if (method === 'GET') return { status: 200, body: executionBody(execution, jobId) };
    context.jobs.stop(execution);
    return accepted(
      request,
      `${jobId}/executions/${execution.name}`,
      `Job Execution ${execution.name} stopped successfully`,
    );
  }
  throw new ArmError(405, 'MethodNotAllowed', `${method} is not served locally for this resource`);
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

async function handle(context: Context, request: IncomingMessage, fallbackHost: string): Promise<Answer> {
  const { keyless } = context;
  const origin = `${scheme(keyless)}://${request.headers.host ?? fallbackHost}`;
  const url = new URL(request.url ?? '/', origin);
  if (!/^Bearer \S+$/i.test(request.headers.authorization ?? '')) {
    throw new ArmError(401, 'AuthenticationFailed', "Authentication failed. The 'Authorization' header is missing.");
  }
  const refusal = keyless && whyNot(keyless, request.headers.authorization, resources.arm);
  if (refusal !== undefined) throw new ArmError(401, 'InvalidAuthenticationToken', refusal);
  const version = url.searchParams.get('api-version');
  if (version === null || version === '') {
    throw new ArmError(
      400,
      'MissingApiVersionParameter',
      'The api-version query parameter (?api-version=) is required for all requests.',
    );
  }
  const path = armPath(url.pathname);
  if (path === undefined)
    throw new ArmError(404, 'InvalidResourceType', `Nothing is served locally at ${url.pathname}`);
  return route(context, request.method ?? 'GET', path, { origin, version, body: await readBody(request) });
}

function send(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers });
  response.end(JSON.stringify(body));
}

function refusal(error: unknown): Answer {
  const known = error instanceof ArmError ? error : new ArmError(500, 'InternalServerError', String(error));
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
  const server = httpServer(options.keyless, (request, response) => {
    const { context } = state;
    const answer =
      context === undefined
        ? Promise.reject(new ArmError(503, 'ServiceUnavailable', 'starting'))
        : handle(context, request, host);
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
  const executions = openExecutions(join(options.dataDir, 'executions.sqlite'));
  const jobs = runJobs(options.jobs, executions, options.dataDir);
  state.context = { jobs, definitions: options.jobs, executions, keyless: options.keyless };
  return {
    port,
    endpoint: `${scheme(options.keyless)}://${host}:${port}`,
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
  const { values, positionals } = parseArgs({
    options: {
      port: { type: 'string', default: '10004' },
      data: { type: 'string', default: '.darkroom/container-apps' },
      'memory-mb': { type: 'string', default: '2048' },
      'timeout-seconds': { type: 'string', default: '1800' },
    },
    allowPositionals: true,
  });
  if (positionals.length === 0) throw new Error('Say what the job runs: ... -- COMMAND ARGS');
  const service = await startContainerApps({
    port: Number(values.port),
    dataDir: values.data,
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
  console.log(`ready ${service.port}\nTraining jobs: ${service.endpoint}${service.jobResourceId('trainer')}`);
  const stop = () => void service.close();
  process.once('SIGINT', stop).once('SIGTERM', stop);
}

if (import.meta.main) await main();
