/**
 * After `azd up`: prints where the API is, makes the first operator key if there is none, and runs the smoke test.
 * DARKROOM_SMOKE=no leaves the smoke test out.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import * as z from 'zod';
import { openKeys, rolesWorkWithinSeconds, untilAllowed } from '../../cli/keys.ts';
import { type CreatedKey, createKey } from '../../shared/key/create.ts';

const root = path.resolve(import.meta.dirname, '../..');

const outputs = z.object({ endpoint: z.url(), cosmosEndpoint: z.url(), functionAppName: z.string() });

/** Outputs of the templates, which azd hands to its hooks. */
function readOutputs(): z.infer<typeof outputs> {
  const parsed = outputs.safeParse(process.env);
  if (parsed.success) return parsed.data;
  throw new Error(`These outputs of main.bicep are missing: run \`azd provision\`.\n${z.prettifyError(parsed.error)}`);
}

function smoke(url: string, cosmos: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const args = ['cli/smoke.ts', '--url', url, '--cosmos', cosmos];
    const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit' });
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
}

async function main(): Promise<number> {
  const { endpoint, cosmosEndpoint } = readOutputs();
  const say = (line: string): void => console.log(line);
  say(`\nThe API is at ${endpoint}`);
  const keys = openKeys(cosmosEndpoint);
  const existing = await untilAllowed(() => keys.documents.count('keys', {}), rolesWorkWithinSeconds, say);
  if (existing === 0) {
    const grant = { name: 'first', role: 'operator', project: '*' } as const;
    const make = (): Promise<CreatedKey> => createKey(keys, randomBytes(32), grant, 'azd up');
    const { key } = await untilAllowed(make, rolesWorkWithinSeconds, say);
    say(`The first operator key, shown this once: ${key}`);
  } else {
    say(`API keys exist (${existing}). Another: npm run create-key -- --cosmos ${cosmosEndpoint}`);
  }
  return process.env['DARKROOM_SMOKE'] === 'no' ? 0 : smoke(endpoint, cosmosEndpoint);
}

process.exit(await main());
