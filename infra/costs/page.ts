/** docs/costs.md, from the snapshots and the price list. */
import type { Resource } from '../compiler/snapshot.ts';
import { idleCost, type Line, total } from './idle.ts';
import { prices, pricesReadIn } from './prices.ts';
import {
  checksPerHour,
  heartbeatsPerHour,
  thousandScores,
  type NeededOperation,
  operationsPerImage,
  operationsPerScore,
  thousandUploads,
  trainingHour,
  type Usage,
  usageCost,
} from './usage.ts';

/** Instance-seconds are assumptions: bursts share an instance, as sixteen messages or requests run on it at once. */
const uploadsUse: Usage = {
  // and the app's own write of each file
  operations: { ...thousandUploads, 'blobs.create': (thousandUploads['blobs.create'] ?? 0) + 1000 },
  events: 1000,
  executions: 1003,
  seconds: 1000 * 0.1,
  memoryGb: 2,
  logKilobytes: 1000 * 5,
};
const scoresUse: Usage = {
  operations: thousandScores,
  events: 0,
  executions: 1000,
  seconds: 1000 * 0.05,
  memoryGb: 2,
  logKilobytes: 1000 * 3,
};

/** The least that is billed of an execution; checks and heartbeats come one by one. */
const leastSeconds = 1;
const trainingUse: Usage = {
  operations: {
    ...trainingHour,
    // and what the job does itself: it writes each report and reads its document again
    'blobs.create': (trainingHour['blobs.create'] ?? 0) + heartbeatsPerHour,
    'blobs.get': (trainingHour['blobs.get'] ?? 0) + heartbeatsPerHour,
  },
  events: heartbeatsPerHour,
  executions: checksPerHour + heartbeatsPerHour,
  seconds: (checksPerHour + heartbeatsPerHour) * leastSeconds,
  memoryGb: 2,
  logKilobytes: (checksPerHour + heartbeatsPerHour) * 3,
};

const usd = (value: number): string => value.toFixed(2);
const table = (head: string[], rows: string[][]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
const sum = (cost: Record<string, number>): number => Object.values(cost).reduce((a, b) => a + b, 0);

function breakdown(cost: Record<string, number>, times: number): string {
  const parts = Object.entries(cost)
    .filter(([, value]) => value > 0)
    .sort(([, a], [, b]) => b - a);
  return parts.map(([name, value]) => `${name} ${(value * times).toFixed(value * times < 0.1 ? 4 : 2)}`).join(', ');
}

const idleTable = (lines: Line[]): string =>
  table(
    ['what', 'USD a month', 'how'],
    [
      ...lines.map(({ what, usdPerMonth, how }) => [what, usd(usdPerMonth), how]),
      ['**together**', `**${usd(total(lines))}**`, ''],
    ],
  );

/** What each option adds to an idle environment. */
function optionRows(snapshots: Record<string, Resource[]>): string[][] {
  const base = total(idleCost(snapshots['options/package'] ?? []));
  const names: Record<string, string> = {
    'options/cpu': '`compute=cpu`',
    'options/a100': '`compute=a100`',
    'options/people': '`operators`, `alertEmails`, `monthlyBudget`',
    'options/browser': '`allowedOrigins`',
    'options/queue-scaling': '`scaleOnQueueLength=true`',
    'options/registry': '`withRegistry=true`',
    'options/machine-learning': '`machineLearning=t4`, with `withRegistry=true`',
    'options/service-bus-standard': '`serviceBusTier=Standard`',
    'options/service-bus-premium': '`serviceBusTier=Premium`',
  };
  return Object.entries(names).map(([file, name]) => [name, usd(total(idleCost(snapshots[file] ?? [])) - base)]);
}

function useRows(): string[][] {
  const { vcpuSecond, gibSecond, t4Hour, a100Hour } = prices.containerApps;
  const { machineLearning } = prices;
  const cpuHour = 3600 * (4 * vcpuSecond + 8 * gibSecond);
  const [uploads, scores, looks] = [usageCost(uploadsUse), usageCost(scoresUse), usageCost(trainingUse)];
  return [
    ['1,000 uploads, accepted and committed', usd(sum(uploads)), breakdown(uploads, 1)],
    ['1,000,000 scores', usd(sum(scores) * 1000), breakdown(scores, 1000)],
    ['looking after a training for an hour, whatever it runs on', usd(sum(looks)), breakdown(looks, 1)],
    ['training hour, CPU', usd(cpuHour), '4 vCPU and 8 GiB per second'],
    ['training hour, T4', usd(t4Hour), 'GPU, 8 vCPU and 56 GiB per second'],
    ['training hour, A100', usd(a100Hour), 'GPU, 24 vCPU and 220 GiB per second'],
    [
      'the same with Azure Machine Learning, CPU',
      usd(machineLearning.cpuHour),
      '4 vCPU and 14 GiB; from making the machine to two idle minutes',
    ],
    ['... T4', usd(machineLearning.t4Hour), 'GPU, 4 vCPU and 28 GiB'],
    ['... A100', usd(machineLearning.a100Hour), 'GPU, 24 vCPU and 220 GiB'],
    [
      '1 GB of scans kept for a month',
      usd(prices.blob.gbMonth),
      'hot, LRS; a sample is kept once, its original for 30 days',
    ],
  ];
}

const operationRows = (operations: readonly NeededOperation[]): string[][] =>
  operations.map(({ operation, container, why }) => [operation, `\`${container}\``, why]);

/** The figures of the README, in USD, by what they are of; `snapshots` by parameter file without its ending. */
export function figures(snapshots: Record<string, Resource[]>): Record<string, string> {
  const idle = (name: string): string => usd(total(idleCost(snapshots[name] ?? [])));
  const use = Object.fromEntries(useRows().map(([what = '', value = '']) => [what, value]));
  const option = Object.fromEntries(
    optionRows(snapshots).map(([name = '', value = '']) => [name.replaceAll('`', ''), value]),
  );
  const several = (from: Record<string, string>, names: string[]): string =>
    names.map((name) => from[name] ?? '').join('; ');
  return {
    'idle, a month: dev; prod': `${idle('dev')}; ${idle('prod')}`,
    '1,000 uploads': several(use, ['1,000 uploads, accepted and committed']),
    '1,000,000 scores': several(use, ['1,000,000 scores']),
    'training hour: CPU; T4; A100': several(use, ['training hour, CPU', 'training hour, T4', 'training hour, A100']),
    'options, a month: private registry; Service Bus Standard; Premium': several(option, [
      'withRegistry=true',
      'serviceBusTier=Standard',
      'serviceBusTier=Premium',
    ]),
  };
}

/** Text of docs/costs.md; `snapshots` by parameter file without its ending. */
export function costsPage(snapshots: Record<string, Resource[]>): string {
  const [dev, prod] = [idleCost(snapshots['dev'] ?? []), idleCost(snapshots['prod'] ?? [])];
  const sources = Object.entries(prices).map(([name, { source }]) => `- ${name}: ${source}`);
  return `<!-- written by npm run infra:generate -->

# What it costs

List prices in USD, East US, pay as you go, as of ${pricesReadIn} (\`infra/costs/prices.ts\`). Other regions are up to a fifth dearer; in EUR the numbers are about the same or lower.

## While nothing happens

Computed from the deployment snapshots by \`infra/costs/idle.ts\`; a test fails when an environment exceeds 2 a month, or when a resource is added that has no price. dev **${usd(total(dev))}**, prod **${usd(total(prod))}** a month.

prod:

${idleTable(prod)}

The grants of Functions and of Application Insights are per subscription: environments share them, and two environments stay below both. So are the free time series of metric alerts: a second environment pays ${usd(prices.monitor.freeMetricSeries * prices.monitor.metricSeriesMonth)} more.

What options add to an idle environment:

${table(['option', 'USD a month'], optionRows(snapshots))}

## In use

${table(['', 'USD', 'of which'], useRows())}

### Document operations

Each keeps a promise: a picture has one outcome, is in one version, and is no duplicate of itself, whatever dies between two of these. A test counts them (\`test/infra/operations.test.ts\`).

${table(['operation', 'of', 'for one accepted picture'], operationRows(operationsPerImage))}

Of a version come a few more, however many pictures it takes: its window, its head, its document. A score:

${table(['operation', 'of', 'for one score'], operationRows(operationsPerScore))}

### How it was counted

Without any free grant. How: a test runs 1,000 uploads and 1,000 scores through the code and counts documents, blobs and messages (\`infra/costs/usage.ts\` holds what it counted); request units, seconds and kilobytes per operation are estimates and stand beside their use in \`infra/costs/\`. Assumed: a burst of uploads takes 0.1 s of a 2 GB instance each, a score 0.05 s; an upload leaves 5 KB of logs, a score 3 KB, and so does a look or a heartbeat. An upload that comes alone is billed one second instead (0.05 for 1,000), and so is every look at a training (each 20 s) and every heartbeat of its job (each 10 s): ${heartbeatsPerHour + checksPerHour} executions an hour. A job is billed from the pull of its image to its end. \`auditReads\` (on in prod) logs about 1.5 KB more for every read or write of a scan: a training on 10,000 scans is 15 MB.

## Sources

${sources.join('\n')}
`;
}
