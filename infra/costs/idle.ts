/** What an environment costs while nothing happens, from the resources that its snapshot says it has. */
import type { Resource } from '../compiler/snapshot.ts';
import { prices } from './prices.ts';
import { requestUnits } from './usage.ts';

export interface Line {
  what: string;
  usdPerMonth: number;
  how: string;
}

const daysPerMonth = 30;
/** projects that the sweep looks after */
const projects = 3;

/** Per run of the sweep, whose operations a test counts: seconds that are billed (at least one), and log records. */
const sweepSeconds = 2;
const sweepLogKilobytes = 100;
/** The host wakes up for it: locks, leases, keys and the package are read, few are written. */
const hostWrites = 10;
const hostReads = 60;
/** The scale controller looks at every queue and its dead letters (Microsoft states no interval; this is a guess on the high side). */
const queueLooksPerMinute = 6;

/** Operations of one sweep over idle projects; held to what the code does by test/infra/costs.test.ts. */
export const sweepOperations = {
  perRun: { 'documents.query': 2, 'blobs.list': 1 },
  perProject: { 'documents.read': 3, 'documents.query': 4 },
};

const free = 0;
const at = (resource: Resource, ...path: string[]): unknown =>
  path.reduce<unknown>(
    (value, key) => (value === null || typeof value !== 'object' ? undefined : (value as Record<string, unknown>)[key]),
    resource,
  );

/** Runs per month of a schedule with seconds; only minutes may repeat (`*` + `/n`), which is all that is needed here. */
export function runsPerMonth(schedule: string): number {
  const every = /^0 \*\/(\d+) \* \* \* \*$/.exec(schedule)?.[1];
  if (every === undefined) throw new Error(`cannot count the runs of ${schedule}: teach infra/costs/idle.ts`);
  return (60 / Number(every)) * 24 * daysPerMonth;
}

const perMonth = (what: string, usdPerMonth: number, how: string): Line[] => [{ what, usdPerMonth, how }];

function namespace(resource: Resource, all: Resource[]): Line[] {
  const tier = String(at(resource, 'sku', 'name'));
  if (tier === 'Standard') return perMonth('Service Bus Standard', prices.serviceBus.standardMonth, 'base charge');
  if (tier === 'Premium')
    return perMonth('Service Bus Premium', prices.serviceBus.premiumUnitMonth, 'one messaging unit');
  if (tier !== 'Basic') throw new Error(`no price for Service Bus ${tier}`);
  const entities = 2 * all.filter(({ type }) => type === 'Microsoft.ServiceBus/namespaces/queues').length;
  const looks = entities * queueLooksPerMinute * 60 * 24 * daysPerMonth;
  return perMonth(
    'Service Bus Basic, watched by the scale controller',
    (looks / 1e6) * prices.serviceBus.perMillionOperations,
    `${entities} queues and dead-letter queues x ${queueLooksPerMinute} looks a minute (assumed) = ${(looks / 1e6).toFixed(1)} million operations`,
  );
}

function sweep(settings: Resource, all: Resource[]): Line[] {
  const runs = runsPerMonth(String(at(settings, 'properties', 'SWEEP_SCHEDULE')));
  const site = all.find(({ type }) => type === 'Microsoft.Web/sites');
  const gb =
    Number(at(site ?? settings, 'properties', 'functionAppConfig', 'scaleAndConcurrency', 'instanceMemoryMB')) / 1024;
  const gbSeconds = runs * gb * sweepSeconds;
  const billed = Math.max(0, gbSeconds - prices.functions.freeGbSeconds) * prices.functions.gbSecond;
  const ru = runs * (requestUnits(sweepOperations.perRun) + projects * requestUnits(sweepOperations.perProject));
  const writes = runs * (hostWrites + sweepOperations.perRun['blobs.list']);
  const logGb = (runs * sweepLogKilobytes) / 1024 / 1024;
  return [
    {
      what: 'Functions: the sweep',
      usdPerMonth: billed,
      how: `${runs} runs x ${sweepSeconds} s x ${gb} GB = ${gbSeconds} GB-s of ${prices.functions.freeGbSeconds} free per subscription; without the grant ${(gbSeconds * prices.functions.gbSecond).toFixed(2)}`,
    },
    {
      what: 'Cosmos DB: reads of the sweep',
      usdPerMonth: (ru / 1e6) * prices.cosmos.perMillionRu,
      how: `${runs} runs x ${Math.round(ru / runs)} RU with ${projects} projects`,
    },
    {
      what: 'Blob storage: the host and the sweep',
      usdPerMonth: (writes / 1e4) * prices.blob.per10kWrites + ((runs * hostReads) / 1e4) * prices.blob.per10kReads,
      how: `${runs} runs x ${hostWrites + 1} writes or lists and ${hostReads} reads (assumed)`,
    },
    {
      what: 'Logs of the sweep',
      usdPerMonth: Math.max(0, logGb - prices.monitor.freeLogGb) * prices.monitor.logGb,
      how: `${logGb.toFixed(2)} GB of ${prices.monitor.freeLogGb} GB free`,
    },
  ];
}

/** Signals of the one log alert: a time series each. */
const signals = 5;

/** Time series of a metric alert: one, or one for each queue that it is split by (`*`: all). */
function seriesOf(alert: Resource, all: Resource[]): number {
  const [criterion] = at(alert, 'properties', 'criteria', 'allOf') as { dimensions: { values: string[] }[] }[];
  const queues = all.filter(({ type }) => type === 'Microsoft.ServiceBus/namespaces/queues').length;
  const dimensions = criterion?.dimensions ?? [];
  return dimensions.reduce((product, { values }) => product * (values[0] === '*' ? queues : values.length), 1);
}

const rules: Record<string, typeof free | ((resource: Resource, all: Resource[]) => Line[])> = {
  'Microsoft.App/jobs': free,
  'Microsoft.App/managedEnvironments': free,
  'Microsoft.Authorization/roleAssignments': free,
  'Microsoft.Consumption/budgets': free,
  'Microsoft.ContainerRegistry/registries': () =>
    perMonth('Container registry Basic', prices.registry.basicMonth, 'price per day'),
  'Microsoft.DocumentDB/databaseAccounts': () =>
    perMonth('Cosmos DB: storage', 0.1 * prices.cosmos.gbMonth, '0.1 GB; serverless has no base charge'),
  'Microsoft.DocumentDB/databaseAccounts/sqlDatabases': free,
  'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers': free,
  'Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments': free,
  'Microsoft.EventGrid/systemTopics': free,
  'Microsoft.EventGrid/systemTopics/eventSubscriptions': free,
  'Microsoft.Insights/actionGroups': free,
  'Microsoft.Insights/components': free,
  'Microsoft.Insights/diagnosticSettings': free,
  // counted together below
  'Microsoft.Insights/metricAlerts': free,
  'Microsoft.Insights/scheduledQueryRules': (rule) => {
    if (at(rule, 'properties', 'evaluationFrequency') !== 'PT15M')
      throw new Error(`${rule.name}: only alerts every 15 minutes have a price here; more often costs more`);
    const { logAlertMonth, logAlertSeriesMonth } = prices.monitor;
    return perMonth(
      'Log alert every 15 minutes',
      logAlertMonth + (signals - 1) * logAlertSeriesMonth,
      `one rule, ${signals} signals`,
    );
  },
  'Microsoft.Insights/workbooks': free,
  'Microsoft.KeyVault/vaults': free,
  'Microsoft.MachineLearningServices/workspaces': free,
  'Microsoft.MachineLearningServices/workspaces/computes': (cluster) => {
    if (at(cluster, 'properties', 'properties', 'scaleSettings', 'minNodeCount') !== 0)
      throw new Error(`${cluster.name}: machines that are always there cost while idle and have no price here`);
    const { clusterDay } = prices.machineLearning;
    return perMonth('Azure Machine Learning: load balancer of the cluster', daysPerMonth * clusterDay, 'price per day');
  },
  'Microsoft.MachineLearningServices/workspaces/environments': free,
  'Microsoft.MachineLearningServices/workspaces/environments/versions': free,
  'Microsoft.ManagedIdentity/userAssignedIdentities': free,
  'Microsoft.OperationalInsights/workspaces': free,
  'Microsoft.Resources/resourceGroups': free,
  'Microsoft.ServiceBus/namespaces': namespace,
  'Microsoft.ServiceBus/namespaces/queues': free,
  'Microsoft.Storage/storageAccounts': ({ name }) =>
    name.startsWith('sthost')
      ? perMonth('Blob storage: packages', 0.5 * prices.blob.gbMonth, '0.5 GB: five packages and what the host keeps')
      : [],
  'Microsoft.Storage/storageAccounts/blobServices': free,
  'Microsoft.Storage/storageAccounts/blobServices/containers': free,
  'Microsoft.Storage/storageAccounts/managementPolicies': free,
  'Microsoft.Web/serverfarms': (plan) => {
    if (at(plan, 'sku', 'name') !== 'FC1') throw new Error(`no price for the plan ${String(at(plan, 'sku', 'name'))}`);
    return [];
  },
  'Microsoft.Web/sites': (site) => {
    const ready = at(site, 'properties', 'functionAppConfig', 'scaleAndConcurrency', 'alwaysReady');
    if (!Array.isArray(ready) || ready.length > 0)
      throw new Error('always ready instances cost while idle and have no price here');
    return [];
  },
  'Microsoft.Web/sites/basicPublishingCredentialsPolicies': free,
  'Microsoft.Web/sites/config': sweep,
  'Microsoft.Web/sites/extensions': free,
};

/** What these resources cost per month while nobody uses them; throws for a resource without a price. */
export function idleCost(resources: Resource[]): Line[] {
  const lines = resources.flatMap((resource) => {
    const rule = rules[resource.type];
    if (rule === undefined) throw new Error(`no idle price for ${resource.type}: add it to infra/costs/idle.ts`);
    return rule === free ? [] : rule(resource, resources);
  });
  const alerts = resources.filter(({ type }) => type === 'Microsoft.Insights/metricAlerts');
  const series = alerts.reduce((sum, alert) => sum + seriesOf(alert, resources), 0);
  const beyond = Math.max(0, series - prices.monitor.freeMetricSeries);
  const how = `${series} time series of ${prices.monitor.freeMetricSeries} free`;
  return [...lines, ...perMonth('Metric alerts', beyond * prices.monitor.metricSeriesMonth, how)];
}

/** Sum of lines, in USD per month. */
export const total = (lines: Line[]): number => lines.reduce((sum, { usdPerMonth }) => sum + usdPerMonth, 0);
