/** An environment of the workflows: its parameters are infra/NAME.bicepparam, its deployment is called darkroom-NAME. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { az } from './az.ts';

const folder = path.join(import.meta.dirname, '..');

export interface Environment {
  name: string;
  deployment: string;
  parameterFile: string;
  location: string;
}

/** The environment of that name. Throws when it has no parameters. */
export function environmentNamed(name: string | undefined): Environment {
  if (name === undefined || !/^[a-z0-9-]{2,20}$/.test(name)) throw new Error('Name one: --environment dev');
  const parameterFile = path.join(folder, `${name}.bicepparam`);
  if (!existsSync(parameterFile))
    throw new Error(`There is no environment ${name}: infra/${name}.bicepparam is missing`);
  const location = process.env['AZURE_LOCATION'] || 'swedencentral';
  return { name, deployment: `darkroom-${name}`, parameterFile, location };
}

const output = z.object({ value: z.string() });
const outputs = z.object({
  resourceGroupName: output,
  endpoint: output,
  functionAppName: output,
  cosmosEndpoint: output,
  releasesUri: output,
  insightsId: output,
});

/** What the templates put out when they were deployed last. */
export type Outputs = Record<keyof z.infer<typeof outputs>, string>;

/** Asks Azure for the outputs of an environment. Throws when it was never deployed. */
export async function outputsOf({ name, deployment }: Environment): Promise<Outputs> {
  const answer = await az(['deployment', 'sub', 'show', '--name', deployment, '--query', 'properties.outputs']);
  const parsed = outputs.safeParse(answer);
  if (!parsed.success)
    throw new Error(
      `The deployment ${deployment} lacks outputs: run \`npm run deploy:infrastructure -- --environment ${name}\`\n${z.prettifyError(parsed.error)}`,
    );
  return Object.fromEntries(Object.entries(parsed.data).map(([key, { value }]) => [key, value])) as Outputs;
}
