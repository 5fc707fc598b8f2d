/** What is served below a job: the job, its executions, starting and stopping them. */
import * as z from 'zod';
import { ArmError, type ArmPath, executionTemplate, type ExecutionTemplate } from './arm.ts';
import type { Executions, StoredExecution } from './executions.ts';
import type { JobDefinition, Jobs, Program } from './jobs.ts';
import { type createOperations, refusalOf, type Trouble } from './trouble.ts';

/** the image that the template names; there is none locally, but a start without one is refused as in Azure */
const localImage = 'local.invalid/darkroom-job:process';

export interface Answer {
  status: number;
  headers?: Record<string, string>;
  /** sent as JSON */
  body: unknown;
}

/** Another service of ARM, behind the same address. */
export interface ArmService {
  /** a page for people, whoever asks; undefined: there is none at this path */
  page(pathname: string): string | undefined;
  /** undefined: the path is not one of its own */
  route(method: string, pathname: string, request: Request, parameters: URLSearchParams): Answer | undefined;
}

export interface Context {
  jobs: Jobs<ExecutionTemplate>;
  definitions: Record<string, JobDefinition>;
  executions: Executions<ExecutionTemplate>;
  /** for the next start calls, taken one by one */
  troubles: Trouble[];
  operations: ReturnType<typeof createOperations>;
}

export interface Request {
  origin: string;
  version: string;
  body: string;
}

const defaultTemplate = (job: string): ExecutionTemplate => ({
  containers: [{ name: job, image: localImage, env: [], resources: { cpu: 1, memory: '2Gi' } }],
});

/** What an execution runs: `command` replaces the image's, `args` alone are added to it. */
export function programOf(execution: StoredExecution<ExecutionTemplate>, job: JobDefinition): Program {
  const { command, args = [], env = [] } = execution.template.containers[0] ?? {};
  return {
    command: [...(command === undefined || command.length === 0 ? job.command : command), ...args],
    variables: {
      ...Object.fromEntries(env.map(({ name, value }) => [name, value ?? ''])),
      // as Azure sets them
      CONTAINER_APP_JOB_NAME: execution.job,
      CONTAINER_APP_JOB_EXECUTION_NAME: execution.name,
    },
  };
}

/** A job tells more of its containers than a start takes. */
const templateOfJob = (job: string) => ({
  ...defaultTemplate(job),
  containers: defaultTemplate(job).containers.map((container) => ({
    ...container,
    command: null,
    imageType: 'ContainerImage',
    probes: [],
    volumeMounts: null,
    resources: { ...container.resources, ephemeralStorage: '4Gi', gpu: null },
  })),
  initContainers: null,
  volumes: null,
});

/** How its container stands, where there is more to say than the state. */
const detailedStatus = ({ name, template }: StoredExecution<ExecutionTemplate>, information: string) => ({
  replicas: [
    { name: `${name}-1`, containers: [{ name: template.containers[0]?.name, additionalInformation: information }] },
  ],
});

const executionBody = (e: StoredExecution<ExecutionTemplate>, jobId: string, information: string | undefined) => ({
  id: `${jobId}/executions/${e.name}`,
  name: e.name,
  type: 'Microsoft.App/jobs/executions',
  properties: {
    status: e.status,
    startTime: e.startTime,
    ...(e.endTime === undefined ? {} : { endTime: e.endTime }),
    template: e.template,
    ...(information === undefined ? {} : { detailedStatus: detailedStatus(e, information) }),
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
    template: templateOfJob(name),
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

/** Long-running operations answer 202 with the address of their result; as a rule it is the execution itself. */
const accepted = (request: Request, path: string, body: unknown): Answer => ({
  status: 202,
  headers: { location: `${request.origin}${path}?api-version=${request.version}`, 'retry-after': '1' },
  body,
});

/** Starts an execution, or does what the next trouble wants. */
function start(context: Context, { jobId, job }: ArmPath, request: Request): Answer {
  const template = readTemplate(request.body, job);
  const trouble: Trouble = context.troubles.shift() ?? { kind: 'none' };
  if (trouble.kind === 'refused') return refusalOf(trouble);
  const promise = (pollsLeft: number, result: { status: number; body: unknown }): Answer => {
    const path = context.operations.begin(jobId.split('/')[2] ?? '', { pollsLeft, result });
    const answer = accepted(request, path, '');
    return { ...answer, headers: { ...answer.headers, 'retry-after': '0' } };
  };
  if (trouble.kind === 'lost') return promise(Number.MAX_SAFE_INTEGER, { status: 200, body: '' });
  if (trouble.kind === 'provisioning-failed') {
    const { status = 400, code, message } = trouble;
    return promise(1, { status, body: { error: { code, message } } });
  }
  const { name } = context.jobs.start(job, template, trouble);
  const id = `${jobId}/executions/${name}`;
  if (trouble.kind === 'slow') return promise(trouble.polls, { status: 200, body: { name, id } });
  if (trouble.kind === 'answer-lost')
    return { status: 503, body: { error: { code: 'ServiceUnavailable', message: 'The service is unavailable' } } };
  return accepted(request, id, { name, id });
}

/** Serves one request on a job and its executions. */
export function route(context: Context, method: string, path: ArmPath, request: Request): Answer {
  const { jobId, job, rest } = path;
  const definition = Object.hasOwn(context.definitions, job) ? context.definitions[job] : undefined;
  if (definition === undefined) {
    throw new ArmError(404, 'ResourceNotFound', `The Resource 'Microsoft.App/jobs/${job}' was not found.`);
  }
  const body = (e: StoredExecution<ExecutionTemplate>) => executionBody(e, jobId, context.jobs.informationOn(e.name));
  const [verb, name, action] = rest;
  const operation = `${method} ${[verb, name === undefined ? undefined : '*', action].filter(Boolean).join('/')}`;
  if (operation === 'GET ') return { status: 200, body: jobBody(jobId, job, definition) };
  if (operation === 'GET executions')
    return { status: 200, body: { value: context.executions.list(job).map(body), nextLink: null } };
  if (operation === 'POST start') return start(context, path, request);
  const execution = name === undefined ? undefined : context.executions.get(job, name);
  if (operation === 'GET executions/*' || operation === 'POST executions/*/stop') {
    if (execution === undefined) {
      throw new ArmError(404, 'JobExecutionNotFound', `Job execution '${name}' of job '${job}' was not found.`);
    }
    if (method === 'GET') return { status: 200, body: body(execution) };
    context.jobs.stop(execution);
    const said = `Job Execution ${execution.name} stopped successfully`;
    return accepted(request, `${jobId}/executions/${execution.name}`, said);
  }
  throw new ArmError(405, 'MethodNotAllowed', `${method} is not served locally for this resource`);
}
