/**
 * Training jobs as executions of a Container Apps manual job, over ARM REST
 * (start replaces the template, so the job's own template is read first and only `env` is added).
 * https://learn.microsoft.com/rest/api/containerapps/jobs
 */
import type { TokenCredential } from '@azure/core-auth';
import * as z from 'zod';
import { RetryLater, TerminalError } from '../errors.ts';
import type { Compute, Execution, ExecutionState } from '../ports.ts';
import { connectArm, passing } from './arm.ts';
import { plainWords } from './arm-refusal.ts';

/** How people read of it; hostile answers are tried with it as well. */
export const containerApps = {
  apiVersion: '2026-01-01',
  namespace: 'Microsoft.App',
  role: 'Container Apps Jobs Operator on the training job',
  missing: 'There is no such training job. Compare COMPUTE__jobId with what is deployed, or deploy again.',
  smaller: 'deploy with compute = cpu',
};
/**
 * A start call has 90 s with its claim (shared/training/find-lost-start.ts): this much of it to be sent and followed to the name of
 * its execution, and some to look for an execution whose name did not come.
 */
const startLimitMs = 45_000;
const lookLimitMs = 10_000;
const maxPages = 20;
const maxReasonCharacters = 400;

/** JSON leaves out what is undefined; Azure writes null for what is not set. */
const orAbsent = <T>(value: T | null | undefined): T | undefined => value ?? undefined;
const environment = z.array(z.object({ name: z.string(), value: z.string().optional() })).optional();
const container = z.looseObject({ name: z.string().optional(), env: environment });
/**
 * What a start may say of a container (JobExecutionContainer). The job itself tells more (probes, volume mounts, the kind
 * of image, a GPU), which a start that repeats it may be refused for.
 */
const startedContainer = z.object({
  name: z.string(),
  image: z.string(),
  command: z.array(z.string()).nullish().transform(orAbsent),
  args: z.array(z.string()).nullish().transform(orAbsent),
  env: z
    .array(z.object({ name: z.string(), value: z.string().optional(), secretRef: z.string().optional() }))
    .nullish()
    .transform(orAbsent),
  resources: z.object({ cpu: z.number(), memory: z.string() }).nullish().transform(orAbsent),
});
const jobResource = z.looseObject({
  properties: z.looseObject({ template: z.looseObject({ containers: z.array(startedContainer).min(1) }) }),
});
/** how one container of an execution stands; newer API versions only */
const containerStatus = z.looseObject({
  code: z.number().nullish(),
  status: z.string().nullish(),
  additionalInformation: z.string().nullish(),
});
const detailedStatus = z.looseObject({
  replicas: z.array(z.looseObject({ containers: z.array(containerStatus).nullish() })).nullish(),
});
const executionResource = z.looseObject({
  name: z.string(),
  properties: z.looseObject({
    status: z.string().optional(),
    startTime: z.string().optional(),
    template: z.looseObject({ containers: z.array(container).optional() }).optional(),
    detailedStatus: detailedStatus.nullish().catch(undefined),
  }),
});
type ExecutionResource = z.infer<typeof executionResource>;
const executionList = z.looseObject({ value: z.array(executionResource), nextLink: z.string().nullish() });
const started = z.looseObject({ name: z.string() });

const states: Record<string, ExecutionState> = {
  Running: 'running',
  Processing: 'pending',
  Stopped: 'stopped',
  Degraded: 'running',
  Failed: 'failed',
  Unknown: 'unknown',
  Succeeded: 'succeeded',
};

const exitCodes: Record<number, string> = {
  137: 'it was killed, most likely for using more memory than the machine has',
  143: 'it was asked to stop',
};

/** What Azure says about the containers of an execution, in plain words where the trouble is known. */
function reasonOf({ properties }: ExecutionResource): string | undefined {
  const containers = (properties.detailedStatus?.replicas ?? []).flatMap((replica) => replica.containers ?? []);
  const reasons = containers.flatMap(({ code, status, additionalInformation }) => {
    const parts = [
      status,
      code === null || code === undefined ? undefined : `exit code ${code}`,
      code === null || code === undefined ? undefined : exitCodes[code],
      additionalInformation,
    ];
    const said = parts.filter(Boolean).join(', ').slice(0, maxReasonCharacters);
    if (said === '') return [];
    const words = plainWords(containerApps, said)?.words;
    return [words === undefined ? said : `${words} (${said})`];
  });
  return reasons.length === 0 ? undefined : [...new Set(reasons)].join('; ');
}

function toExecution(resource: ExecutionResource): Execution {
  const env = resource.properties.template?.containers?.[0]?.env ?? [];
  const reason = reasonOf(resource);
  return {
    name: resource.name,
    state: states[resource.properties.status ?? 'Unknown'] ?? 'unknown',
    environment: Object.fromEntries(env.map((e) => [e.name, e.value ?? ''])),
    startedAt: resource.properties.startTime,
    ...(reason === undefined ? {} : { reason }),
  };
}

/** Adapts a Container Apps job to the compute port. A start call is followed to the name of its execution for `limitMs`. */
export function containerAppsCompute(
  endpoint: string,
  jobId: string,
  credential: TokenCredential,
  limitMs = startLimitMs,
): Compute {
  const arm = connectArm(endpoint, containerApps, credential);
  const executionPath = (name: string): string => `${jobId}/executions/${encodeURIComponent(name)}`;

  async function list(within?: AbortSignal): Promise<Execution[]> {
    const found: Execution[] = [];
    let next: string | undefined = `${jobId}/executions`;
    for (let pages = 0; next !== undefined && pages < maxPages; pages++) {
      const page = executionList.parse((await arm.get('Listing training jobs', next, within)) ?? { value: [] });
      found.push(...page.value.map(toExecution));
      next = page.nextLink ?? undefined;
    }
    return found;
  }

  /** The template of the job with these variables added: an override replaces all of it. */
  async function templateWith(variables: Record<string, string>, within: AbortSignal): Promise<object> {
    const job = await arm.get('Reading the training job', jobId, within);
    if (job === undefined)
      throw new TerminalError(
        'compute-missing',
        `There is no training job ${jobId}. Compare COMPUTE__jobId with what is deployed, or deploy again.`,
      );
    const [first, ...others] = jobResource.parse(job).properties.template.containers;
    const env = [...(first?.env ?? []), ...Object.entries(variables).map(([name, value]) => ({ name, value }))];
    return { containers: [{ ...first, env }, ...others] };
  }

  /** Starts once; an answer that names no execution is followed to its end. */
  async function startOnce(template: object, within: AbortSignal): Promise<string> {
    const what = 'Starting the training job';
    const answer = await arm.post(what, `${jobId}/start`, template, { within });
    const named = started.safeParse(answer.body);
    if (named.success) return named.data.name;
    const result = started.safeParse(await arm.settle(what, answer, within));
    if (!result.success) throw new RetryLater(`${what} ended without the name of an execution`);
    return result.data.name;
  }

  return {
    async start(variables) {
      const within = AbortSignal.timeout(limitMs);
      const template = await templateWith(variables, within);
      try {
        return { execution: await startOnce(template, within) };
      } catch (error) {
        // ARM said no; everything else may have taken effect: the execution tells by its environment
        if (error instanceof TerminalError || (error instanceof RetryLater && error.code !== undefined)) throw error;
        const wanted = Object.entries(variables);
        const known = await list(AbortSignal.timeout(lookLimitMs)).catch(() => []);
        const lost = known.find((one) => wanted.every(([name, value]) => one.environment[name] === value));
        if (lost === undefined) throw error;
        return { execution: lost.name };
      }
    },
    list: () => passing(list()),
    async get(execution) {
      const found = await passing(arm.get(`Reading execution ${execution}`, executionPath(execution)));
      return found === undefined ? undefined : toExecution(executionResource.parse(found));
    },
    async stop(execution) {
      await passing(
        arm.post(`Stopping execution ${execution}`, `${executionPath(execution)}/stop`, undefined, { fine: [404] }),
      );
    },
  };
}
