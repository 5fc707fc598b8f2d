/** The unpacked package with nothing but the settings that Bicep gives, against local services whose keys are switched off. */
import { spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { startPlatform } from '../../local/platform.ts';
import { appSettingsOf, evaluated } from '../infra/templates.ts';
import { startPart } from '../torture/process.ts';
import { cliAnswers, deployAndGoBack, type Run } from './deploying.ts';
import { anyPorts } from '../platform.ts';

const root = path.resolve(import.meta.dirname, '../..');

/** What the settings of Bicep do not hold: Azure gives an app its identity, and is what the local services stand for. */
const fromAzure = [
  'IDENTITY_ENDPOINT',
  'IDENTITY_HEADER',
  'WEBSITE_SITE_NAME',
  'NODE_EXTRA_CA_CERTS',
  'COMPUTE__endpoint',
];

/** The settings of an environment with local values; throws when the platform sets what Bicep does not. */
function deployedSettings(local: Record<string, string>): Record<string, string> {
  const bicep = evaluated(appSettingsOf('dev'));
  const extra = Object.keys(local).filter((name) => !(name in bicep) && !fromAzure.includes(name));
  if (extra.length > 0) throw new Error(`The platform sets what Bicep does not: ${extra.join(', ')}`);
  const missing = Object.keys(bicep).filter((name) => !(name in local) && !name.startsWith('AzureWebJobsStorage__'));
  if (missing.length > 0) throw new Error(`The platform has no value for what Bicep sets: ${missing.join(', ')}`);
  const secrets = Object.values({ ...bicep, ...local }).filter((value) => /accountkey=|sharedaccesskey=/i.test(value));
  if (secrets.length > 0) throw new Error('There is a key among the settings');
  return { ...bicep, ...local };
}

/**
 * A stand-in for the Azure CLI of somebody who is signed in: it answers `az account get-access-token` with a token of the
 * local identity, and what `answers` holds. Returns the folder to be put on the PATH.
 */
async function signedInCli(folder: string, settings: Record<string, string>, answers: string): Promise<string> {
  const bin = path.join(folder, 'bin');
  await mkdir(bin, { recursive: true });
  const script = `#!${process.execPath}
${answers}
const resource = process.argv[process.argv.indexOf('--resource') + 1];
const url = ${JSON.stringify(settings['IDENTITY_ENDPOINT'])} + '?api-version=2019-08-01&client_id=${settings['AZURE_CLIENT_ID'] ?? ''}&resource=' + encodeURIComponent(resource);
const answer = await (await fetch(url, { headers: { 'x-identity-header': ${JSON.stringify(settings['IDENTITY_HEADER'])} } })).json();
console.log(JSON.stringify({ accessToken: answer.access_token, expires_on: Number(answer.expires_on), tokenType: 'Bearer' }));
`;
  await writeFile(path.join(bin, 'az'), script, { mode: 0o755 });
  return bin;
}

/** Runs a program of this checkout as on a laptop, and passes on what it says. */
const runWith =
  (env: Record<string, string>): Run =>
  (script, args) =>
    new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [script, ...args], {
        cwd: root,
        env,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let said = '';
      child.stdout.on('data', (part: Buffer) => {
        said += part.toString();
        process.stdout.write(part);
      });
      child.on('error', reject);
      child.on('close', (code) => resolve({ code: code ?? 1, said }));
    });

/** Starts the app in the folder `app` and runs the smoke test against it. Rejects when it does not pass. */
export async function runKeyless(app: string, dataDir: string): Promise<void> {
  const platform = await startPlatform({
    dataDir,
    ports: anyPorts,
    appRoot: root,
    appEntry: '',
    jobCommand: [process.execPath, path.join(root, 'trainers/embedded/main.ts')],
    functionsOnly: [],
    keyless: true,
    onLog: () => undefined,
  });
  const machine = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '' };
  const env = { ...machine, ...deployedSettings(platform.settings) };
  const logFile = path.join(dataDir, 'host.log');
  try {
    const host = await startPart({
      name: 'functions host',
      args: [
        ...[path.join(root, 'local/functions-host/main.ts'), '--app', app],
        ...['--entry', 'dist/functions/app.mjs', '--port', '{port}'],
      ],
      cwd: app,
      onlyEnv: env,
      logFile,
    });
    try {
      // a laptop: it knows the outputs of the templates, who is signed in, and whom to trust
      const url = `http://127.0.0.1:${host.port}`;
      const outputs = {
        resourceGroupName: 'rg-local',
        endpoint: `${url}/api/v1`,
        functionAppName: 'func-local',
        cosmosEndpoint: platform.settings['COSMOS__accountEndpoint'] ?? '',
        releasesUri: `${platform.settings['BLOB__serviceUri'] ?? ''}/releases`,
        insightsId: '/subscriptions/s/resourceGroups/rg-local/providers/Microsoft.Insights/components/appi-local',
      };
      const bin = await signedInCli(dataDir, platform.settings, cliAnswers(dataDir, outputs));
      const laptop = {
        ...machine,
        PATH: `${bin}${path.delimiter}${machine.PATH}`,
        NODE_EXTRA_CA_CERTS: platform.settings['NODE_EXTRA_CA_CERTS'] ?? '',
      };
      const finish = (more: Record<string, string>) =>
        runWith({ ...laptop, ...outputs, ...more })('infra/azd/finish.ts', []);
      const { code, said } = await finish({});
      if (code !== 0) {
        console.error((await readFile(logFile, 'utf8')).slice(-10_000));
        throw new Error(`the end of azd up ended with ${code}; above is the end of the host's log`);
      }
      const key = /dk_[A-Za-z0-9_-]{43}/.exec(said)?.[0];
      if (key === undefined) throw new Error('azd up printed no first key');
      await signedByIdentity(url, key);
      const again = await finish({ DARKROOM_SMOKE: 'no' });
      if (again.code !== 0 || !again.said.includes('API keys exist (1)'))
        throw new Error('a second azd up made another key, or the key of the smoke test was left behind');
      await deployAndGoBack(runWith(laptop), dataDir, path.join(root, 'dist/darkroom.zip'), outputs.releasesUri);
    } finally {
      await host.end('SIGTERM');
    }
    const telemetry = await readFile(path.join(dataDir, 'insights/telemetry.ndjson'), 'utf8');
    if (!telemetry.includes('pipeline.stage')) throw new Error('No stage was told to Application Insights');
    console.log('telemetry arrived by identity');
  } finally {
    await platform.close();
  }
}

/** Upload addresses name the identity whose user delegation key signed them. */
async function signedByIdentity(url: string, key: string): Promise<void> {
  const headers = { 'x-api-key': key, 'content-type': 'application/json' };
  const ask = (method: string, route: string, body: unknown) =>
    fetch(`${url}/api/v1/projects/signed${route}`, { method, headers, body: JSON.stringify(body) });
  await ask('PUT', '', {});
  const answer = await ask('POST', '/upload-urls', { files: [{ name: 'a.png', contentType: 'image/png' }] });
  const said = await answer.text();
  if (!said.includes('skoid=')) throw new Error(`An upload address is not signed by the identity: ${said}`);
  console.log('upload addresses are signed by a user delegation key');
}
