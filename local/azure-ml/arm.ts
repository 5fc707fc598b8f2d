/** What travels over ARM for jobs of Azure Machine Learning (Microsoft.MachineLearningServices/workspaces/jobs). */
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import { ArmError } from '../container-apps/arm.ts';

export const provider = 'Microsoft.MachineLearningServices';

const resourceId = z.string().startsWith('/subscriptions/').max(1000);
/** https://www.iso.org/iso-8601-date-and-time-format.html, as far as a limit of hours, minutes and seconds goes */
const duration = z.string().regex(/^PT(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+S)?$/);

/** A command job, as it is put; what else Azure takes is refused by name. */
const commandJob = z.strictObject({
  jobType: z.literal('Command'),
  command: z.string().min(1).max(100_000),
  computeId: resourceId,
  environmentId: resourceId,
  displayName: z.string().max(255).optional(),
  experimentName: z.string().max(255).optional(),
  description: z.string().max(5000).optional(),
  tags: z.record(z.string(), z.string()).optional(),
  environmentVariables: z.record(z.string(), z.string().max(100_000)).optional(),
  limits: z.strictObject({ jobLimitsType: z.literal('Command'), timeout: duration.optional() }).optional(),
  resources: z.strictObject({ instanceCount: z.number().int().min(1).optional() }).optional(),
});
export type CommandJob = z.infer<typeof commandJob>;

/** Seconds of a limit. */
export function secondsOf(limit: string): number {
  const [, hours = '0', minutes = '0', seconds = '0'] = /^PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?$/.exec(limit) ?? [];
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
}

/** Reads the body of a PUT; throws the ArmError that Azure answers where it is not that of a command job. */
export function readJob(body: string): CommandJob {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    throw new ArmError(400, 'InvalidRequestContent', 'The request content is not valid JSON');
  }
  const parsed = z.looseObject({ properties: commandJob }).safeParse(json);
  if (!parsed.success) throw new ArmError(400, 'UserError', z.prettifyError(parsed.error));
  return parsed.data.properties;
}

const namePattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,254}$/;

/** Throws unless a job may have this name. */
export function checkName(name: string): void {
  if (!namePattern.test(name)) throw new ArmError(400, 'UserError', `The job name '${name.slice(0, 100)}' is invalid`);
}

/** Throws where a job that exists would become another one: a name is given once. */
export function checkUnchanged(existing: CommandJob, put: CommandJob): void {
  if (isDeepStrictEqual(existing, put)) return;
  throw new ArmError(
    400,
    'UserError',
    "A job with this name already exists. If you are trying to create a new job, use a different name. If you are trying to update an existing job, the existing job's definition cannot be changed.",
  );
}
