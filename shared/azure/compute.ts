/**
 * Training jobs as executions of a Container Apps manual job, over ARM REST
 * (start replaces the template, so the job's own template is read first and only `env` is added).
 */
import { type Client, getClient } from '@azure-rest/core-client';
import type { TokenCredential } from '@azure/core-auth';
import type { PipelinePolicy } from '@azure/core-rest-pipeline';
import * as z from 'zod';
import type { Compute, Execution, ExecutionState } from '../ports.ts';

const apiVersion = '2026-01-01';
const armScope = 'https://management.azure.com/.default';

const environment = z.array(z.object({ name: z.string(), value: z.string().optional() })).optional();
const container = z.looseObject({ name: z.string().optional(), env: environment });
const jobResource = z.looseObject({
  properties: z.looseObject({ template: z.looseObject({ containers: z.array(container).min(1) }) }),
});
const executionResource = z.looseObject({
  name: z.string(),
  properties: z.looseObject({
    status: z.string().optional(),
    startTime: z.string().optional(),
    template: z.looseObject({ containers: z.array(container).optional() }).optional(),
  }),
});
const executionList = z.looseObject({ value: z.array(executionResource), nextLink: z.string().nullish() });
const startAnswer = z.looseObject({ name: z.string() });
const armError = z.looseObject({ error: z.looseObject({ code: z.string(), message: z.string() }) });

const states: Record<string, ExecutionState> = {
  Running: 'running',
  Processing: 'pending',
  Stopped: 'stopped',
  Degraded: 'running',
  Failed: 'failed',
  Unknown: 'unknown',
  Succeeded: 'succeeded',
};

function toExecution(resource: z.infer<typeof executionResource>): Execution {
  const env = resource.properties.template?.containers?.[0]?.env ?? [];
  return {
    name: resource.name,
    state: states[resource.properties.status ?? 'Unknown'] ?? 'unknown',
    environment: Object.fromEntries(env.map((e) => [e.name, e.value ?? ''])),
    startedAt: resource.properties.startTime,
  };
}

/** Says in plain words what ARM refused. */
function refused(what: string, status: string, body: unknown): Error {
  const parsed = armError.safeParse(body);
  const detail = parsed.success
    ? `${parsed.data.error.code}: ${parsed.data.error.message}`
    : JSON.stringify(body ?? '').slice(0, 500);
  return new Error(`${what} was refused by the compute provider (${status}): ${detail}`);
}

/** The stock bearer policy refuses plain http, which local services speak. */
const tokenPolicy = (credential: TokenCredential): PipelinePolicy => ({
  name: 'arm-token',
  async sendRequest(request, next) {
    const token = await credential.getToken(armScope);
    request.headers.set('authorization', `Bearer ${token?.token ?? ''}`);
    return next(request);
  },
});

/** Adapts a Container Apps job to the compute port. */
export function containerAppsCompute(endpoint: string, jobId: string, credential: TokenCredential): Compute {
  const connect = (maxRetries: number): Client =>
    getClient(endpoint, {
      allowInsecureConnection: endpoint.startsWith('http:'),
      retryOptions: { maxRetries },
      additionalPolicies: [{ position: 'perRetry', policy: tokenPolicy(credential) }],
    });
  const client = connect(3);
  // starting is not idempotent: it is never retried here, the caller claims first and reconciles (architecture.md)
  const once = connect(0);
  const path = (suffix: string) => client.pathUnchecked(`${jobId}${suffix}`);
  const queryParameters = { 'api-version': apiVersion };

  return {
    async start(environmentOf) {
      const job = await path('').get({ queryParameters });
      if (job.status !== '200') throw refused('Reading the training job', job.status, job.body);
      const { template } = jobResource.parse(job.body).properties;
      const [first, ...others] = template.containers;
      const env = [...(first?.env ?? []), ...Object.entries(environmentOf).map(([name, value]) => ({ name, value }))];
      const body = { containers: [{ ...first, env }, ...others] };
      const started = await once.pathUnchecked(`${jobId}/start`).post({ queryParameters, body });
      if (started.status !== '200' && started.status !== '202')
        throw refused('Starting the training job', started.status, started.body);
      return { execution: startAnswer.parse(started.body).name };
    },
    async list() {
      const response = await path('/executions').get({ queryParameters });
      if (response.status !== '200') throw refused('Listing executions', response.status, response.body);
      return executionList.parse(response.body).value.map(toExecution);
    },
    async get(execution) {
      const response = await path(`/executions/${encodeURIComponent(execution)}`).get({ queryParameters });
      if (response.status === '404') return undefined;
      if (response.status !== '200') throw refused(`Reading execution ${execution}`, response.status, response.body);
      return toExecution(executionResource.parse(response.body));
    },
    async stop(execution) {
      const response = await path(`/executions/${encodeURIComponent(execution)}/stop`).post({ queryParameters });
      if (!['200', '202', '204', '404'].includes(response.status))
        throw refused(`Stopping ${execution}`, response.status, response.body);
    },
  };
}
