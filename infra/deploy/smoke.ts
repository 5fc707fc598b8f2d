/** `npm run deploy:smoke -- --environment dev`: the smoke test on an environment; `--ready-only` uploads nothing. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { command } from './command.ts';
import { environmentNamed, outputsOf } from './environment.ts';

const root = path.resolve(import.meta.dirname, '../..');

await command(async () => {
  const { values } = parseArgs({ options: { environment: { type: 'string' }, 'ready-only': { type: 'boolean' } } });
  const { endpoint, cosmosEndpoint } = await outputsOf(environmentNamed(values.environment));
  const args = ['cli/smoke.ts', '--url', endpoint, '--cosmos', cosmosEndpoint];
  if (values['ready-only'] === true) args.push('--ready-only');
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit' });
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
});
