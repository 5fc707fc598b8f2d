/**
 * Training jobs as command jobs of an Azure Machine Learning workspace, over ARM REST. A job is made by PUT under a name of
 * ours, so that a start that is repeated starts nothing twice.
 * https://learn.microsoft.com/rest/api/azureml/jobs
 */
import type { TokenCredential } from '@azure/core-auth';
import * as z from 'zod';
import type { MachineLearning } from '../config.ts';
import { digestOf } from '../digest.ts';
import type { Compute, Execution, ExecutionState } from '../ports.ts';
import { connectArm, passing } from './arm.ts';

const machineLearning = {
  apiVersion: '2025-12-01',
  namespace: 'Microsoft.MachineLearningServices',
  role: 'AzureML Data Scientist on the workspace',
  missing:
    'There is no such workspace, cluster or environment. Compare the settings AZURE_ML__ with what is deployed, or deploy again.',
  smaller: 'deploy with another machineLearning (cpu, t4, a100)',
};
/** As of a Container Apps job: a start call has 90 s with its claim (shared/training/find-lost-start.ts). */
const startLimitMs = 45_000;
const lookLimitMs = 10_000;
/** A workspace keeps its jobs for ever; those of late come first. */
const maxPages = 3;
/** the longest that project settings allow a training (trainer.timeoutSeconds), in ISO 8601; time in the queue does not count */
const longestTraining = 'PT24H';
const maxUrlCharacters = 2000;

/** https://learn.microsoft.com/rest/api/azureml/jobs/get#jobstatus */
const states: Record<string, ExecutionState> = {
  NotStarted: 'pending',
  Queued: 'pending',
  Provisioning: 'pending',
  Preparing: 'pending',
  Starting: 'pending',
  Paused: 'pending',
  Running: 'running',
  Finalizing: 'running',
  CancelRequested: 'running',
  // its machine sends no sign of life; whether the job does, its reports say
  NotResponding: 'running',
  Completed: 'succeeded',
  Failed: 'failed',
  Canceled: 'stopped',
};

const reasons: Record<string, string> = {
  NotStarted: 'Azure Machine Learning has not taken it up yet.',
  Queued: 'It waits for a machine: the cluster makes one, all of them are at work, or the quota allows none.',
  Provisioning: 'Its machine is being made.',
  Preparing: 'Its image is being pulled, or its machine made ready.',
  Starting: 'Its machine is ready, and its program about to start.',
  Paused: 'Somebody paused it.',
  NotResponding: 'Its machine gives no sign of life.',
};

const jobResource = z.looseObject({
  name: z.string(),
  systemData: z.looseObject({ createdAt: z.string().nullish() }).nullish(),
  properties: z.looseObject({
    status: z.string().nullish(),
    environmentVariables: z.record(z.string(), z.string().nullable()).nullish(),
    services: z.record(z.string(), z.looseObject({ endpoint: z.string().nullish() }).nullable()).nullish(),
  }),
});
type JobResource = z.infer<typeof jobResource>;
const jobList = z.looseObject({ value: z.array(jobResource), nextLink: z.string().nullish() });

/** The page of the job in the Studio, where its log is; only what may be shown as a link. */
function logsUrlOf({ properties }: JobResource): { logsUrl: string } | undefined {
  const endpoint = properties.services?.['Studio']?.endpoint ?? '';
  const isLink = endpoint.length <= maxUrlCharacters && z.url({ protocol: /^https?$/ }).safeParse(endpoint).success;
  return isLink ? { logsUrl: endpoint } : undefined;
}

function toExecution(resource: JobResource): Execution {
  const { status, environmentVariables } = resource.properties;
  const reason = reasons[status ?? ''];
  return {
    name: resource.name,
    state: states[status ?? ''] ?? 'unknown',
    environment: Object.fromEntries(Object.entries(environmentVariables ?? {}).map(([name, v]) => [name, v ?? ''])),
    startedAt: resource.systemData?.createdAt ?? undefined,
    ...(reason === undefined ? {} : { reason }),
    ...logsUrlOf(resource),
  };
}

const hasEnded = ({ state }: Execution): boolean => state === 'succeeded' || state === 'failed' || state === 'stopped';

/** Name of the job of one start call: the same for the same run and token, which one attempt has. */
const nameOf = ({ DARKROOM_RUN = '', DARKROOM_TOKEN = '' }: Record<string, string>): string =>
  `darkroom-${digestOf(32, DARKROOM_RUN, DARKROOM_TOKEN)}`;

/** Adapts a workspace to the compute port. A start call has `limitMs`. */
export function machineLearningCompute(
  endpoint: string,
  { workspaceId, computeId, environmentId, command }: MachineLearning,
  credential: TokenCredential,
  limitMs = startLimitMs,
): Compute {
  const arm = connectArm(endpoint, machineLearning, credential);
  const jobPath = (name: string): string => `${workspaceId}/jobs/${encodeURIComponent(name)}`;

  async function get(name: string, within?: AbortSignal): Promise<Execution | undefined> {
    const found = await arm.get(`Reading job ${name}`, jobPath(name), within);
    return found === undefined ? undefined : toExecution(jobResource.parse(found));
  }

  async function list(): Promise<Execution[]> {
    const found: Execution[] = [];
    let next: string | undefined = `${workspaceId}/jobs?jobType=Command`;
    for (let pages = 0; next !== undefined && pages < maxPages; pages++) {
      const page = jobList.parse((await arm.get('Listing training jobs', next)) ?? { value: [] });
      found.push(...page.value.map(toExecution));
      next = page.nextLink ?? undefined;
    }
    return found;
  }

  const definitionOf = (name: string, variables: Record<string, string>) => ({
    jobType: 'Command',
    displayName: variables['DARKROOM_RUN'] ?? name,
    experimentName: 'darkroom',
    command,
    environmentId,
    computeId,
    environmentVariables: { ...variables, DARKROOM_EXECUTION: name },
    limits: { jobLimitsType: 'Command', timeout: longestTraining },
    resources: { instanceCount: 1 },
  });

  async function create(name: string, variables: Record<string, string>, within: AbortSignal): Promise<Execution> {
    const what = 'Starting the training job';
    const answer = await arm.put(what, jobPath(name), { properties: definitionOf(name, variables) }, within);
    const created = jobResource.safeParse(answer.status === 202 ? await arm.settle(what, answer, within) : answer.body);
    // who has taken a job under our name has nothing to tell us that we need
    return created.success
      ? toExecution(created.data)
      : { name, state: 'pending', environment: {}, startedAt: undefined };
  }

  return {
    async start(variables) {
      const name = nameOf(variables);
      try {
        const { logsUrl } = await create(name, variables, AbortSignal.timeout(limitMs));
        return { execution: name, ...(logsUrl === undefined ? {} : { logsUrl }) };
      } catch (error) {
        // an answer may have been lost, and the job that it was about be there: then a repetition is refused (JobPropertyImmutable)
        const known = await get(name, AbortSignal.timeout(lookLimitMs)).catch(() => undefined);
        if (known === undefined) throw error;
        return { execution: name, ...(known.logsUrl === undefined ? {} : { logsUrl: known.logsUrl }) };
      }
    },
    async list(startedWith) {
      if (startedWith?.['DARKROOM_TOKEN'] === undefined) return passing(list());
      const one = await passing(get(nameOf(startedWith)));
      return one === undefined ? [] : [one];
    },
    get: (execution) => passing(get(execution)),
    async stop(execution) {
      try {
        await arm.post(`Stopping job ${execution}`, `${jobPath(execution)}/cancel`, undefined, { fine: [404] });
      } catch (error) {
        // a job that has ended refuses to be cancelled
        const known = await passing(get(execution));
        if (known !== undefined && !hasEnded(known)) await passing(Promise.reject(error as Error));
      }
    },
  };
}
