import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { api } from '../../functions/http/api/api.ts';
import { mounted } from '../../functions/http/surface.ts';
import { figures } from '../../infra/costs/page.ts';
import { settingNames } from '../../shared/config.ts';
import { maxClasses } from '../../shared/names.ts';
import { classification } from '../../shared/task/classification/classification.ts';
import { detection } from '../../shared/task/detection/detection.ts';
import { settingsOf } from '../../shared/project/settings.ts';
import { blobContainers, documentContainers, queueNames } from '../../shared/resources.ts';
import { registered } from './registered.ts';
import { appSettingsOf, at, deployments, infraFile, ofType, resourcesOf } from './templates.ts';

const root = path.join(import.meta.dirname, '..', '..');
const read = (name: string): string => readFileSync(path.join(root, name), 'utf8');
const page = read('docs/infrastructure.md');
const guide = read('docs/deploy.md');
const readme = read('README.md');

/** Cells of the rows of every table in a text. */
const rowsOf = (text: string): string[][] =>
  [...text.matchAll(/^\|(.*)\|$/gm)].map(([, row = '']) => row.split('|').map((cell) => cell.trim()));
const section = (text: string, title: string): string => text.split(`\n## ${title}`)[1]?.split('\n## ')[0] ?? '';

test('docs/infrastructure.md states the days for which erased scans exist', () => {
  const days = (environment: 'dev' | 'prod') =>
    ofType(resourcesOf(environment), 'Microsoft.Storage/storageAccounts/blobServices')
      .filter(({ name }) => name.startsWith('stdata'))
      .map((one) => at(one, 'properties.deleteRetentionPolicy.days'))[0];
  expect(page).toContain(`\`softDeleteDays\` more (${String(days('dev'))}; prod ${String(days('prod'))})`);
  const [account] = ofType(resourcesOf('prod'), 'Microsoft.DocumentDB/databaseAccounts');
  expect(at(account, 'properties.backupPolicy.continuousModeProperties.tier')).toBe('Continuous7Days');
  expect(page).toMatch(/deleted documents +\| 7 more days/);
  const [workspace] = ofType(resourcesOf('prod'), 'Microsoft.OperationalInsights/workspaces');
  expect(page).toMatch(new RegExp(`audit logs +\\| ${String(at(workspace, 'properties.retentionInDays'))} days`));
});

test('docs/infrastructure.md counts queues and containers right, and names their lifetimes', () => {
  const words = ['none', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'];
  const told = Object.values(blobContainers).filter(({ events }) => events !== null);
  expect(page).toContain(`the ${words[Object.keys(blobContainers).length]} data containers`);
  expect(page).toContain(`the ${words[queueNames.length]} queues`);
  expect(page).toContain(`send to its ${words[told.length]} queues`);
  const { uploads, quarantine, jobs } = blobContainers;
  expect([uploads, quarantine, jobs].map(({ expiresAfterDays }) => expiresAfterDays)).toEqual([30, 30, 30]);
  expect(documentContainers.predictions.ttlSeconds / 86_400).toBe(90);
});

test('the functions that register are those that docs/infrastructure.md and the OpenAPI document name', () => {
  const { names, queueOf, http } = registered();
  const told = rowsOf(section(page, 'Functions')).filter(([name]) => /^`[\w-]+\w`$/.test(name ?? ''));
  const ofDocs = told.map(([name = '', woken = '']) => [name.replaceAll('`', ''), /queue `([\w-]+)`/.exec(woken)?.[1]]);
  expect(Object.fromEntries(ofDocs)).toEqual({
    ...Object.fromEntries(Object.entries(queueOf).filter(([, queue]) => !queue.endsWith('/$deadletterqueue'))),
    sweep: undefined,
  });
  const deadLetters = queueNames.map((queue) => `dead-letter-${queue}`);
  expect(new Set(names)).toEqual(new Set([...ofDocs.map(([name]) => name), ...deadLetters, ...http]));
  // the OpenAPI document is made of the same table
  expect(new Set(http)).toEqual(new Set(['unmatched', ...mounted(api).map(({ name }) => name)]));
});

test('docs/deploy.md lets people assign exactly the roles that the templates assign', () => {
  const condition = (/ROLES='([^']*)'/.exec(guide)?.[1] ?? '').split(', ');
  const assigned = deployments.flatMap((deployment) =>
    ofType(resourcesOf(deployment), 'Microsoft.Authorization/roleAssignments').map((one) =>
      String(at(one, 'properties.roleDefinitionId')).split('/').at(-1),
    ),
  );
  expect(new Set(condition)).toEqual(new Set(assigned));
});

test('docs/deploy.md lets Azure trust GitHub under the names of old and of new repositories', () => {
  const [, shown = ''] = /```sh\n(REPOSITORY=[\s\S]*?)\nDEPLOYER=/.exec(guide) ?? [];
  const stand = `
    az() { [ "$2 $3" = "app create" ] && echo client-id; [ "$3" = federated-credential ] && echo "\${@: -1}" >&3; true; }
    gh() { echo someone@11/darkroom@22; }`;
  const script = `exec 3>&1; ${stand}\n${shown}\nidentity darkroom-deploy environment:dev pull_request >&2`;
  const said = execFileSync('bash', ['-c', script], { encoding: 'utf8' });
  const made = said
    .trim()
    .split('\n')
    .map((line) => z.object({ name: z.string(), subject: z.string() }).parse(JSON.parse(line)));
  expect(made).toEqual([
    { name: 'environment-dev', subject: 'repo:OWNER/darkroom:environment:dev' },
    { name: 'environment-dev-ids', subject: 'repo:someone@11/darkroom@22:environment:dev' },
    { name: 'pull_request', subject: 'repo:OWNER/darkroom:pull_request' },
    { name: 'pull_request-ids', subject: 'repo:someone@11/darkroom@22:pull_request' },
  ]);
});

test('docs/deploy.md registers exactly the providers that the templates need', () => {
  const told = /for NAME in ([\w. ]+);/.exec(guide)?.[1]?.split(' ').sort();
  const needed = deployments.flatMap((one) => resourcesOf(one).map(({ type }) => type.split('/')[0] ?? ''));
  // these two cannot be unregistered
  const always = ['Microsoft.Authorization', 'Microsoft.Resources'];
  expect(told).toEqual([...new Set(needed)].filter((name) => !always.includes(name)).sort());
});

test('docs/deploy.md tells every variable that a workflow reads, and regions as the check before azd up knows them', () => {
  const folder = path.join(root, '.github/workflows');
  const workflows = readdirSync(folder).map((name) => readFileSync(path.join(folder, name), 'utf8'));
  const used = new Set(workflows.flatMap((text) => [...text.matchAll(/vars\.(\w+)/g)].map(([, name = '']) => name)));
  for (const name of used) expect(section(guide, '5.'), name).toContain(`\`${name}\``);
  for (const regions of read('infra/azd/check.js').matchAll(/(t4|a100): \[([^\]]*)\]/g)) {
    const row = rowsOf(guide).find(([name]) => name?.startsWith(`\`${regions[1]}\``));
    expect(row?.[2]).toBe(regions[2]?.replaceAll("'", ''));
  }
});

test('commands and pages that the documents name exist', () => {
  const { scripts } = z
    .looseObject({ scripts: z.record(z.string(), z.string()) })
    .parse(JSON.parse(read('package.json')));
  const pages = readdirSync(path.join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => path.join('docs', name));
  for (const name of ['README.md', 'CONTRIBUTING.md', ...pages]) {
    for (const [, script = ''] of read(name).matchAll(/npm run (?:-s )?([a-z][\w:-]*)/g))
      expect(Object.keys(scripts), `${name}: npm run ${script}`).toContain(script);
    for (const [, link = ''] of read(name).matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g))
      expect(existsSync(path.join(root, path.dirname(name), link)), `${name}: ${link}`).toBe(true);
  }
});

test('the README has the figures that are computed', () => {
  const rows = rowsOf(section(readme, 'Deploy to Azure'));
  const told = Object.fromEntries(rows.slice(2).map(([what = '', usd = '']) => [what, usd]));
  expect(told).toEqual(figures(Object.fromEntries(deployments.map((name) => [name, resourcesOf(name)]))));
});

interface Setting {
  type?: string;
  minimum?: number;
  maximum?: number;
  enum?: string[];
  default?: number | string;
  properties?: Record<string, Setting>;
  anyOf?: Setting[];
}

/** Numbers and choices of the settings, by their path. */
function settingsIn(schema: Setting, name = ''): [string, Setting][] {
  const properties = (schema.properties ?? schema.anyOf?.[0]?.properties) as Record<string, Setting> | undefined;
  if (properties === undefined) return [[name, schema]];
  return Object.entries(properties).flatMap(([key, one]) => settingsIn(one, name === '' ? key : `${name}.${key}`));
}

test('the README has the default and the range of every setting of a project', () => {
  const rows = Object.fromEntries(
    rowsOf(section(readme, 'Settings of a project'))
      .slice(2)
      .map(([name = '', usual = '', range = '']) => [name.replaceAll('`', ''), [usual, range.replaceAll('`', '')]]),
  );
  const settings = settingsIn(z.toJSONSchema(settingsOf(classification), { io: 'input' }) as Setting);
  const told = settings.filter(([name]) => !name.startsWith('image.'));
  const objects = ['image {width, height, channels}', 'image.range', 'image.shrinkOnLoad', 'deploy.canary'];
  expect(new Set(Object.keys(rows))).toEqual(new Set([...objects, ...told.map(([name]) => name)]));
  expect(rows['classes']?.[1]).toBe(`none, or 2 to ${maxClasses} names`);
  for (const [name, { minimum, maximum, default: usual, enum: choices }] of told) {
    const [toldUsual, range] = rows[name] ?? [];
    if (minimum !== undefined)
      expect([name, toldUsual, range]).toEqual([name, String(usual ?? ''), `${minimum} to ${maximum}`]);
    if (choices !== undefined)
      expect([name, toldUsual, range]).toEqual([name, `\`${String(usual)}\``, choices.join(', ')]);
  }
});

test('the README has the default and the range of every rule of the gate of detectors', () => {
  const rows = rowsOf(section(readme, 'Settings of a detector')).slice(2);
  const told = rows.map(([name = '', usual = '', range = '']) =>
    [name, usual, range].map((cell) => cell.replaceAll('`', '')),
  );
  const all = settingsIn(z.toJSONSchema(settingsOf(detection), { io: 'input' }) as Setting);
  const rules = all.filter(([name]) => name.startsWith('gate.') && name !== 'gate.approval');
  const wanted = rules.map(([name, { minimum, maximum, default: usual, enum: choices }]) => {
    return [name, String(usual), choices === undefined ? `${minimum} to ${maximum}` : choices.join(', ')];
  });
  expect(new Set(told)).toEqual(new Set(wanted));
});

test('docs/functions-only.md has every setting that the functions read', () => {
  const told = rowsOf(section(read('docs/functions-only.md'), 'Settings')).map(([names]) => names);
  for (const name of settingNames) expect(told.join(' ')).toContain(`\`${name}\``);
});

test('the button leads to the committed template', () => {
  const address = /Microsoft\.Template\/uri\/([^)]+)\)/.exec(readme)?.[1] ?? '';
  expect(new URL(decodeURIComponent(address)).pathname).toMatch(/\/main\/infra\/main\.json$/);
  expect(JSON.parse(infraFile('main.json'))).toMatchObject({
    $schema: expect.stringContaining('subscriptionDeploymentTemplate'),
  });
});

/** What the README says of a part, and where that is from. */
test('the parity table is true', async () => {
  const parity = section(readme, 'Local and Azure');
  const rows = Object.fromEntries(
    rowsOf(parity)
      .slice(2)
      .map(([part = '', here = '', there = '', differs = '']) => [part, { here, there, differs }]),
  );
  expect(Object.keys(rows)).toEqual([
    'Functions',
    'Blob',
    'Blob events',
    'Service Bus',
    'Cosmos DB',
    'Compute',
    'Telemetry',
    'Identity',
  ]);

  const prod = resourcesOf('prod');
  const one = (type: string) => ofType(prod, type)[0];
  expect(at(one('Microsoft.Web/serverfarms'), 'sku.tier')).toBe(rows['Functions']?.there.replaceAll(' ', ''));
  expect(rows['Service Bus']?.there).toBe(`${String(at(one('Microsoft.ServiceBus/namespaces'), 'sku.name'))} tier`);
  expect(at(one('Microsoft.DocumentDB/databaseAccounts'), 'properties.consistencyPolicy.defaultConsistencyLevel')).toBe(
    'Strong',
  );
  expect(rows['Cosmos DB']?.there).toBe('serverless, strong consistency');
  expect(rows['Telemetry']?.there).toBe('Application Insights');
  const quota = (environment: 'dev' | 'prod') =>
    Number(
      at(
        ofType(resourcesOf(environment), 'Microsoft.OperationalInsights/workspaces')[0],
        'properties.workspaceCapping.dailyQuotaGb',
      ),
    );
  expect(rows['Telemetry']?.differs).toContain(`at most ${quota('dev')} GB a day (prod ${quota('prod')})`);
  expect(ofType(prod, 'Microsoft.App/jobs')).toHaveLength(1);

  const expiring = Object.values(blobContainers).flatMap(({ expiresAfterDays: days }) => (days === null ? [] : [days]));
  expect(rows['Blob']?.differs).toContain(`${[...new Set(expiring)].join(', ')} days`);

  const bicep = Object.keys(appSettingsOf('prod'));
  const keys = ['SERVICEBUS', 'COSMOS__accountKey', 'BLOB__accountName', 'BLOB__accountKey', 'COMPUTE__accessToken'];
  expect(
    bicep.filter((name) => keys.includes(name)),
    rows['Identity']?.there,
  ).toEqual([]);
});

test('the README shows the demo in the words that it has', () => {
  const [, shown = ''] = /```text\n([\s\S]*?)```/.exec(readme) ?? [];
  const folders = ['local/demo', 'shared/evaluation', 'shared/task/classification'];
  const sources = folders.flatMap((folder) =>
    readdirSync(path.join(root, folder))
      .filter((name) => name.endsWith('.ts'))
      .map((name) => read(`${folder}/${name}`)),
  );
  // what stands between what is filled in: numbers, digests, verdicts, trainers
  const fixed = shown
    .split('\n')
    .flatMap((line) =>
      line.split(
        /\[[^\]]*\]|[0-9a-f]{12}|"[^"]*"|\(p <|\d[\d.,]*|approved|passed:|\bnot\b|edges|embedding|resnet-small:/,
      ),
    )
    .map((text) => text.trim().replace(/^[,;()% ]+|[,;()=< ]+$/g, ''))
    .filter((text) => text.length > 9 && /[a-z]/.test(text) && !text.includes('accepted  '));
  expect(fixed.length).toBeGreaterThan(15);
  expect(fixed.filter((text) => !sources.join('\n').includes(text))).toEqual([]);
});
