/** `npm run deploy:infrastructure -- --environment dev`: deploys the templates as infra/dev.bicepparam says. */
import { parseArgs } from 'node:util';
import { az } from './az.ts';
import { command } from './command.ts';
import { environmentNamed, outputsOf } from './environment.ts';

await command(async () => {
  const { values } = parseArgs({ options: { environment: { type: 'string' } } });
  const environment = environmentNamed(values.environment);
  const { deployment, location, parameterFile } = environment;
  console.log(`Deploying ${deployment} in ${location}; a new environment takes about ten minutes`);
  await az([
    'deployment',
    'sub',
    'create',
    '--name',
    deployment,
    '--location',
    location,
    '--parameters',
    parameterFile,
  ]);
  const { endpoint } = await outputsOf(environment);
  console.log(`The API is at ${endpoint}`);
  return 0;
});
