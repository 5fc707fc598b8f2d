/**
 * `npm run deploy:package -- --environment dev`: deploys dist/darkroom.zip and keeps it with the packages before it.
 * `--release previous`, or the beginning of a digest, deploys a kept one again; `--list` shows them.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ContainerClient } from '@azure/storage-blob';
import { rolesWorkWithinSeconds, untilAllowed } from '../../cli/keys.ts';
import { signedIn } from '../../shared/azure/person.ts';
import { az } from './az.ts';
import { command, summarise } from './command.ts';
import { environmentNamed, type Outputs, outputsOf } from './environment.ts';
import {
  chooseRelease,
  type Deployment,
  deploymentsOf,
  keepRelease,
  readRelease,
  recordDeployment,
} from './releases.ts';

const built = path.resolve(import.meta.dirname, '../../dist/darkroom.zip');

const line = ({ release, at, commit }: Deployment): string => `| ${at} | ${release.slice(0, 12)} | ${commit} |`;
const table = (deployments: Deployment[]): string =>
  ['| deployed | release | commit |', '| --- | --- | --- |', ...deployments.map(line)].join('\n');

/** Flex Consumption takes the package from here and copies it into its own container; nothing is built. */
async function publish({ resourceGroupName, functionAppName }: Outputs, bytes: Buffer): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'darkroom-deploy-'));
  try {
    const file = path.join(folder, 'darkroom.zip');
    await writeFile(file, bytes);
    await az([
      ...['functionapp', 'deployment', 'source', 'config-zip', '--src', file],
      ...['--resource-group', resourceGroupName, '--name', functionAppName],
    ]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function packageToDeploy(
  container: ContainerClient,
  before: Deployment[],
  wanted: string | undefined,
): Promise<Buffer> {
  if (wanted !== undefined) return readRelease(container, chooseRelease(before, wanted));
  return readFile(built).catch(() => {
    throw new Error('dist/darkroom.zip is missing: run `npm run package` first');
  });
}

await command(async () => {
  const { values } = parseArgs({
    options: { environment: { type: 'string' }, release: { type: 'string' }, list: { type: 'boolean' } },
  });
  const environment = environmentNamed(values.environment);
  const outputs = await outputsOf(environment);
  const container = new ContainerClient(outputs.releasesUri, signedIn());
  // whoever has just been given the role waits for it here
  const before = await untilAllowed(() => deploymentsOf(container), rolesWorkWithinSeconds, console.log);
  if (values.list === true) {
    console.log(table(before));
    return 0;
  }
  const bytes = await packageToDeploy(container, before, values.release);
  const release = await keepRelease(container, bytes);
  const earlier = before.find((one) => one.release === release);
  const commit = values.release === undefined ? (process.env['GITHUB_SHA'] ?? '') : (earlier?.commit ?? '');
  console.log(
    `Deploying ${release.slice(0, 12)} (${(bytes.length / 1024 / 1024).toFixed(1)} MB) to ${environment.name}`,
  );
  const at = new Date().toISOString();
  await publish(outputs, bytes);
  await recordDeployment(container, { release, at, commit });
  await summarise(`### Deployed to ${environment.name}\n\n${table(await deploymentsOf(container))}\n`);
  return 0;
});
