/**
 * A look-alike of Azure Machine Learning for command jobs, behind the ARM address of Container Apps: one workspace with one
 * cluster and one environment; a job is a local process. Protocol: https://learn.microsoft.com/rest/api/azureml/jobs.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ArmError } from '../container-apps/arm.ts';
import { openExecutions, type StoredExecution } from '../container-apps/executions.ts';
import { type JobDefinition, type Program, runJobs } from '../container-apps/jobs.ts';
import type { Answer, ArmService, Request } from '../container-apps/routes.ts';
import { createOperations, refusalOf, type Trouble } from '../container-apps/trouble.ts';
import { checkName, checkUnchanged, type CommandJob, provider, readJob, secondsOf } from './arm.ts';

const workspaceId = `/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/darkroom-local/providers/${provider}/workspaces/local`;
const jobsPath = new RegExp(`^${workspaceId}/jobs(?:/([^/]+)(?:/([^/]+))?)?/?$`, 'i');
const cluster = 'cluster';
const pageSize = 50;

/** Resource ids of all that there is. */
export const machineLearningIds = {
  workspaceId,
  computeId: `${workspaceId}/computes/${cluster}`,
  environmentId: `${workspaceId}/environments/trainer/versions/local`,
};

export interface MachineLearningOptions {
  /** folder of the jobs' records and logs (`executions/NAME/log`) */
  dataDir: string;
  /** what its image has, and what its machines take; `maxParallel` machines at most */
  machine: Omit<JobDefinition, 'command'>;
  /** what the next PUTs of new jobs meet, one by one; more may be added at any time */
  troubles?: Trouble[];
}

type Job = StoredExecution<CommandJob>;

const programOf = ({ name, template }: Job): Program => ({
  command: ['/bin/sh', '-c', template.command],
  // as Azure sets it
  variables: { ...template.environmentVariables, AZUREML_RUN_ID: name },
  ...(template.limits?.timeout === undefined ? {} : { timeoutSeconds: secondsOf(template.limits.timeout) }),
});

const statuses = { Processing: 'Queued', Succeeded: 'Completed', Failed: 'Failed', Stopped: 'Canceled' } as const;

function statusOf({ status }: Job, isStopping: boolean): string {
  if (status in statuses) return statuses[status as keyof typeof statuses];
  return isStopping ? 'CancelRequested' : 'Running';
}

function jobBody(job: Job, isStopping: boolean, origin: string) {
  const endpoint = `${origin}/runs/${job.name}?wsid=${workspaceId}`;
  return {
    id: `${workspaceId}/jobs/${job.name}`,
    name: job.name,
    type: `${provider}/workspaces/jobs`,
    systemData: { createdAt: job.startTime, createdByType: 'Application' },
    properties: {
      ...{ description: null, tags: {}, isArchived: false, componentId: null, inputs: {}, outputs: {}, parameters: {} },
      ...job.template,
      status: statusOf(job, isStopping),
      services: { Studio: { jobServiceType: 'Studio', port: null, endpoint, status: null, errorMessage: null } },
    },
  };
}

/** Throws unless the job names the cluster and the environment that there are. */
function checkPlace(job: CommandJob): void {
  for (const part of ['computeId', 'environmentId'] as const)
    if (job[part].toLowerCase() !== machineLearningIds[part].toLowerCase())
      throw new ArmError(404, 'ResourceNotFound', `The ${part} '${job[part]}' was not found in the workspace.`);
}

/**
 * Opens the workspace, for an ARM service to serve. Jobs are on disk: what a closed one left waiting is started, and what
 * ran is Failed, as with Container Apps.
 */
export function openMachineLearning({ dataDir, machine, troubles = [] }: MachineLearningOptions): ArmService & {
  close(): Promise<void>;
} {
  mkdirSync(dataDir, { recursive: true });
  const executions = openExecutions<CommandJob>(join(dataDir, 'jobs.sqlite'));
  const definition = { ...machine, command: [] };
  const jobs = runJobs({ [cluster]: definition }, executions, dataDir, programOf);
  const operations = createOperations(provider);
  const bodyOf = (job: Job, origin: string) => jobBody(job, jobs.isStopping(job.name), origin);

  function put(name: string, { body, origin, version }: Request): Answer {
    checkName(name);
    const asked = readJob(body);
    checkPlace(asked);
    const existing = executions.get(cluster, name);
    if (existing !== undefined) {
      checkUnchanged(existing.template, asked);
      return { status: 200, body: bodyOf(existing, origin) };
    }
    const trouble: Trouble = troubles.shift() ?? { kind: 'none' };
    if (trouble.kind === 'refused') return refusalOf(trouble);
    const promise = (pollsLeft: number, result: { status: number; body: unknown }): Answer => {
      const path = operations.begin(workspaceId.split('/')[2] ?? '', { pollsLeft, result });
      const headers = { location: `${origin}${path}?api-version=${version}`, 'retry-after': '0' };
      return { status: 202, headers, body: '' };
    };
    if (trouble.kind === 'lost') return promise(Number.MAX_SAFE_INTEGER, { status: 200, body: '' });
    if (trouble.kind === 'provisioning-failed') {
      const { status = 400, code, message } = trouble;
      return promise(1, { status, body: { error: { code, message } } });
    }
    const created = bodyOf(jobs.start(cluster, asked, trouble, name), origin);
    if (trouble.kind === 'slow') return promise(trouble.polls, { status: 200, body: created });
    if (trouble.kind === 'answer-lost')
      return { status: 503, body: { error: { code: 'ServiceUnavailable', message: 'The service is unavailable' } } };
    return { status: 201, body: created };
  }

  function list(request: Request, parameters: URLSearchParams): Answer {
    const from = Number(parameters.get('$skip') ?? 0);
    const all = executions.list(cluster);
    const next = `${request.origin}${workspaceId}/jobs?api-version=${request.version}&$skip=${from + pageSize}`;
    const value = all.slice(from, from + pageSize).map((job) => bodyOf(job, request.origin));
    return { status: 200, body: { value, nextLink: from + pageSize < all.length ? next : null } };
  }

  function cancel(job: Job, { origin, version }: Request): Answer {
    if (job.endTime !== undefined)
      throw new ArmError(400, 'UserError', `The job ${job.name} is in a terminal state and cannot be canceled.`);
    jobs.stop(job);
    const path = operations.begin(workspaceId.split('/')[2] ?? '', { pollsLeft: 0, result: { status: 200, body: '' } });
    const location = `${origin}${path}?api-version=${version}`;
    return { status: 202, headers: { location, 'retry-after': '1' }, body: '' };
  }

  return {
    page(pathname) {
      const name = /^\/runs\/([^/]+)$/.exec(pathname)?.[1];
      return name === undefined || executions.get(cluster, name) === undefined ? undefined : jobs.logOf(name);
    },
    route(method, pathname, request, parameters) {
      const polled = operations.poll(pathname);
      if (polled !== undefined) return polled;
      const match = jobsPath.exec(pathname);
      if (match === null) return undefined;
      const [, name, action] = match;
      const operation = [method, name === undefined ? undefined : '*', action?.toLowerCase()].filter(Boolean).join(' ');
      if (operation === 'GET') return list(request, parameters);
      if (operation === 'PUT *') return put(name ?? '', request);
      if (operation !== 'GET *' && operation !== 'POST * cancel')
        throw new ArmError(405, 'MethodNotAllowed', `${method} is not served locally for this resource`);
      const job = executions.get(cluster, name ?? '');
      if (job === undefined) throw new ArmError(404, 'NotFound', `The job '${name}' was not found.`);
      return method === 'GET' ? { status: 200, body: bodyOf(job, request.origin) } : cancel(job, request);
    },
    async close() {
      await jobs.close();
      executions.close();
    },
  };
}
