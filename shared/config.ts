/** Settings: addresses, credentials, and rates and waits that an owner may set. The same code runs locally and in Azure; only these differ. */
import * as z from 'zod';
import { defaultRateLimits, type RateLimits } from './rate-limit.ts';
import { type Backoff, defaultBackoff } from './delivery/plan-redelivery.ts';
import { databaseName } from './resources.ts';
import { maxDescriptionBytes, readTrainers, type Trainers, unknownTrainers } from './training/trainers.ts';

const url = z.url({ protocol: /^https?$/ });

const resourceId = z.string().startsWith('/subscriptions/');

const perSecond = z.coerce.number().positive().max(1e6);
const burst = z.coerce.number().min(1).max(1e6);

/** Whether the Service Bus SDK would take a connection string; it is loaded long after the settings are read. */
function isConnectionString(text: string): boolean {
  const parts = text.split(';').filter((part) => part.trim() !== '');
  const value = (name: string): string =>
    parts
      .find((part) => part.startsWith(`${name}=`))
      ?.slice(name.length + 1)
      .trim() ?? '';
  return (
    parts.every((part) => part.includes('=')) &&
    URL.canParse(value('Endpoint')) &&
    value('SharedAccessKeyName') !== '' &&
    value('SharedAccessKey') !== ''
  );
}

const settings = z.object({
  /** a connection string, or (in Azure) the three `SERVICEBUS__` settings of the trigger's identity */
  SERVICEBUS: z
    .string()
    .startsWith('Endpoint=')
    .refine(isConnectionString, 'it needs Endpoint=sb://NAME/, SharedAccessKeyName and SharedAccessKey')
    .optional(),
  SERVICEBUS__fullyQualifiedNamespace: z.string().optional(),
  COSMOS__accountEndpoint: url,
  COSMOS__accountKey: z.string().optional(),
  COSMOS_DATABASE: z.string().default(databaseName),
  BLOB__serviceUri: url,
  BLOB__accountName: z.string().optional(),
  BLOB__accountKey: z.string().optional(),
  COMPUTE__endpoint: url.default('https://management.azure.com'),
  /** resource id of the Container Apps job that runs trainings */
  COMPUTE__jobId: resourceId,
  /** resource ids of the workspace, the cluster and the environment (of an image) of Azure Machine Learning, where there is one */
  AZURE_ML__workspaceId: resourceId.optional(),
  AZURE_ML__computeId: resourceId.optional(),
  AZURE_ML__environmentId: resourceId.optional(),
  /** what starts the trainer in that image, as a line for its shell */
  AZURE_ML__command: z.string().max(1000).optional(),
  /** only for servers that take any token; in Azure the identity is used */
  COMPUTE__accessToken: z.string().optional(),
  /** client id of the user-assigned identity */
  AZURE_CLIENT_ID: z.string().optional(),
  APPLICATIONINSIGHTS_CONNECTION_STRING: z.string().optional(),
  /** `ClientId=...;Authorization=AAD`: telemetry is sent with the identity as well */
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: z.string().optional(),
  /** requests of one API key, and of all keys to one project, that an instance takes: in the long run, and at once */
  RATE_LIMIT_KEY_PER_SECOND: perSecond.default(defaultRateLimits.key.perSecond),
  RATE_LIMIT_KEY_BURST: burst.default(defaultRateLimits.key.burst),
  RATE_LIMIT_PROJECT_PER_SECOND: perSecond.default(defaultRateLimits.project.perSecond),
  RATE_LIMIT_PROJECT_BURST: burst.default(defaultRateLimits.project.burst),
  /** what links in answers begin with, for clients that need whole addresses; without it they begin with `/api/v1` */
  PUBLIC_URL: url.optional(),
  /** which trainers there are: `built-in`, or what they publish as JSON */
  TRAINERS: z
    .string()
    .max(maxDescriptionBytes)
    .transform((text, context) => {
      try {
        return readTrainers(text);
      } catch (error) {
        const why = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
        context.addIssue(`it is neither "built-in" nor a description as JSON (docs/trainers.md): ${why}`);
        return z.NEVER;
      }
    })
    .default(unknownTrainers),
  /** first wait of a message that is put off; the longest is 150 times as long */
  REDELIVERY_FIRST_SECONDS: z.coerce.number().min(0.01).max(60).default(defaultBackoff.firstSeconds),
});

/** Every setting that is read here, for those who set them. */
export const settingNames: readonly string[] = Object.keys(settings.shape);

/** Where Azure Machine Learning runs trainings. */
export interface MachineLearning {
  workspaceId: string;
  computeId: string;
  environmentId: string;
  command: string;
}

export interface Config {
  serviceBus: { connectionString: string } | { fullyQualifiedNamespace: string };
  cosmos: { endpoint: string; key: string | undefined; database: string };
  blob: { serviceUri: string; accountName: string | undefined; accountKey: string | undefined };
  compute: { endpoint: string; jobId: string; accessToken: string | undefined };
  machineLearning: MachineLearning | undefined;
  identityClientId: string | undefined;
  insights: { connectionString: string | undefined; authentication: string | undefined };
  rateLimits: RateLimits;
  publicUrl: string | undefined;
  backoff: Backoff;
  trainers: Trainers;
}

/** All four or none: half a workspace would refuse trainings one by one. */
function missingOfMachineLearning(given: Record<string, string | undefined>): string[] {
  const names = settingNames.filter((name) => name.startsWith('AZURE_ML__'));
  const missing = names.filter((name) => given[name] === undefined);
  return missing.length === names.length
    ? []
    : missing.map((name) => `${name} is not set, and others of AZURE_ML__ are`);
}

function machineLearningOf(s: z.infer<typeof settings>): MachineLearning | undefined {
  if (s.AZURE_ML__workspaceId === undefined) return undefined;
  return {
    workspaceId: s.AZURE_ML__workspaceId,
    computeId: s.AZURE_ML__computeId ?? '',
    environmentId: s.AZURE_ML__environmentId ?? '',
    command: s.AZURE_ML__command ?? '',
  };
}

/** Reads and checks the settings; throws one error that names every setting that is missing or wrong. */
export function readConfig(environment: Record<string, string | undefined>): Config {
  // portals and templates write what is not set as an empty text
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = settings.safeParse(given);
  const said = (parsed.error?.issues ?? []).map(({ path, message }) => {
    const name = String(path[0]);
    return `${name} ${given[name] === undefined ? 'is not set' : `cannot be used: ${message}`}`;
  });
  if (given['SERVICEBUS'] === undefined && given['SERVICEBUS__fullyQualifiedNamespace'] === undefined)
    said.unshift('SERVICEBUS (connection string) or SERVICEBUS__fullyQualifiedNamespace is not set');
  said.push(...missingOfMachineLearning(given));
  if (!parsed.success || said.length > 0)
    throw new Error(`Settings are incomplete:\n${said.map((line) => `  ${line}`).join('\n')}`);
  const s = parsed.data;
  const serviceBus =
    s.SERVICEBUS !== undefined
      ? { connectionString: s.SERVICEBUS }
      : { fullyQualifiedNamespace: s.SERVICEBUS__fullyQualifiedNamespace ?? '' };
  return {
    serviceBus,
    cosmos: { endpoint: s.COSMOS__accountEndpoint, key: s.COSMOS__accountKey, database: s.COSMOS_DATABASE },
    blob: {
      serviceUri: s.BLOB__serviceUri.replace(/\/$/, ''),
      accountName: s.BLOB__accountName,
      accountKey: s.BLOB__accountKey,
    },
    compute: { endpoint: s.COMPUTE__endpoint, jobId: s.COMPUTE__jobId, accessToken: s.COMPUTE__accessToken },
    machineLearning: machineLearningOf(s),
    identityClientId: s.AZURE_CLIENT_ID,
    insights: {
      connectionString: s.APPLICATIONINSIGHTS_CONNECTION_STRING,
      authentication: s.APPLICATIONINSIGHTS_AUTHENTICATION_STRING,
    },
    publicUrl: s.PUBLIC_URL?.replace(/\/+$/, ''),
    rateLimits: {
      key: { perSecond: s.RATE_LIMIT_KEY_PER_SECOND, burst: s.RATE_LIMIT_KEY_BURST },
      project: { perSecond: s.RATE_LIMIT_PROJECT_PER_SECOND, burst: s.RATE_LIMIT_PROJECT_BURST },
    },
    backoff: { firstSeconds: s.REDELIVERY_FIRST_SECONDS },
    trainers: s.TRAINERS,
  };
}
