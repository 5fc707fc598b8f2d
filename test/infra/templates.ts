/** The committed snapshots and the compiled template, for tests that need no compiler. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { readSnapshot, type Resource } from '../../infra/compiler/snapshot.ts';

const folder = path.join(import.meta.dirname, '..', '..', 'infra');

export const options = [
  'a100',
  'browser',
  'cpu',
  'machine-learning',
  'package',
  'people',
  'queue-scaling',
  'registry',
  'service-bus-premium',
  'service-bus-standard',
] as const;
/** `main` is what azd deploys */
export const environments = ['dev', 'main', 'prod'] as const;
/** every committed snapshot */
export const deployments = [...environments, ...options.map((option) => `options/${option}` as const)] as const;
export type Deployment = (typeof deployments)[number];

/** Text of a file in infra/. */
export const infraFile = (name: string): string => readFileSync(path.join(folder, name), 'utf8');

/** Resources of one deployment. */
export const resourcesOf = (deployment: Deployment): Resource[] =>
  readSnapshot(infraFile(`${deployment}.snapshot.json`)).predictedResources;

/** Resources of a type, e.g. `Microsoft.ServiceBus/namespaces/queues`. */
export const ofType = (resources: Resource[], type: string): Resource[] => resources.filter((one) => one.type === type);

/** Last part of a resource's name: `sb-x/blob-created` is the queue `blob-created`. */
export const leaf = ({ name }: Resource): string => name.split('/').at(-1) ?? '';

/** A value inside a resource by its dotted path; undefined when something on the way is missing. */
export function at(resource: unknown, dotted: string): unknown {
  let value = resource;
  for (const key of dotted.split('.')) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

const appSettings = z.record(z.string(), z.string());

/** App settings of a deployment; values that only a deployment knows are ARM expressions in brackets. */
export function appSettingsOf(deployment: Deployment): Record<string, string> {
  const found = ofType(resourcesOf(deployment), 'Microsoft.Web/sites/config').find(
    (one) => leaf(one) === 'appsettings',
  );
  return appSettings.parse(found?.['properties']);
}

/** Settings with stand-ins for what only a deployment knows: outputs of other modules and the cloud's storage domain. */
export function evaluated(settings: Record<string, string>): Record<string, string> {
  const values = Object.entries(settings).map(([name, value]) => {
    const address = /^\[format\('(https:\/\/\{0\}\.\w+\.)\{1\}', '(\w+)'/.exec(value);
    if (address !== null) return [name, `${address[1]?.replace('{0}', address[2] ?? '')}core.windows.net`];
    return [name, value.startsWith('[') ? 'known-when-deployed' : value];
  });
  return Object.fromEntries(values) as Record<string, string>;
}
