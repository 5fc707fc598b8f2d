/** What travels over ARM for Container Apps jobs (Microsoft.App/jobs), and how ARM says no. */
import * as z from 'zod';

/** one of Azure's execution states (JobExecutionRunningState) */
export type ExecutionStatus = 'Running' | 'Processing' | 'Stopped' | 'Degraded' | 'Failed' | 'Unknown' | 'Succeeded';

const container = z.strictObject({
  name: z.string().min(1).max(100),
  /** Azure refuses containers without one: the override replaces the job's template, it is not merged into it */
  image: z.string().min(1).max(1000),
  command: z.array(z.string().max(100_000)).max(1000).optional(),
  args: z.array(z.string().max(100_000)).max(1000).optional(),
  env: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[A-Za-z_][A-Za-z0-9_.-]*$/),
        value: z.string().max(100_000).optional(),
      }),
    )
    .max(200)
    .optional(),
  resources: z
    .strictObject({
      cpu: z.number().positive().optional(),
      memory: z.string().max(20).optional(),
      gpu: z.undefined({ error: 'gpu is decided by the workload profile and cannot be asked for' }).optional(),
    })
    .optional(),
});

/** The body of a start: the template override. A start knows less of a container than a job does, and refuses the rest. */
export const executionTemplate = z.strictObject({ containers: z.array(container).min(1).max(10) });
export type ExecutionTemplate = z.infer<typeof executionTemplate>;

/** An error that ARM would answer. */
export class ArmError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export interface ArmPath {
  /** resource id of the job, as the caller wrote it */
  jobId: string;
  job: string;
  /** what follows the job: [] | ['start'] | ['executions'] | ['executions', name] | ['executions', name, 'stop'] */
  rest: string[];
}

const jobPath =
  /^(\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/Microsoft\.App\/jobs\/([^/]+))((?:\/[^/]+)*)\/?$/i;

/** Reads a path below a job; ARM's fixed segments are not case-sensitive. */
export function armPath(pathname: string): ArmPath | undefined {
  const match = jobPath.exec(pathname);
  if (match === null) return undefined;
  const [, jobId = '', job = '', tail = ''] = match;
  const rest = tail.split('/').filter((part) => part !== '');
  return { jobId, job, rest: rest.map((part, i) => (i === 1 ? part : part.toLowerCase())) };
}
