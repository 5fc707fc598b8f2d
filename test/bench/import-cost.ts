/** Cold start: importing the deployed bundle against importing the sources, with and without Application Insights. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { buildApp } from '../../local/build.ts';
import { atMost, type Bench, figure, median, spread } from './bench.ts';

const root = path.resolve(import.meta.dirname, '../..');
const measure = `
const startedAt = performance.now();
await import(process.argv[1]);
process.stdout.write('\\n' + String(performance.now() - startedAt) + '\\n', () => process.exit());
`;
const settings = {
  SERVICEBUS: 'Endpoint=sb://127.0.0.1:1;SharedAccessKeyName=a;SharedAccessKey=a;UseDevelopmentEmulator=true',
  COSMOS__accountEndpoint: 'http://127.0.0.1:1',
  COSMOS__accountKey: 'a2V5',
  BLOB__serviceUri: 'http://127.0.0.1:1/a',
  BLOB__accountName: 'a',
  BLOB__accountKey: 'a2V5',
  COMPUTE__jobId: '/subscriptions/a',
  COMPUTE__accessToken: 'a',
  WEBSITE_SITE_NAME: 'bench',
  FUNCTIONS_EXTENSION_VERSION: '~4',
};
const insights = {
  APPLICATIONINSIGHTS_CONNECTION_STRING:
    'InstrumentationKey=00000000-0000-0000-0000-000000000000;IngestionEndpoint=http://127.0.0.1:1/',
};

async function importMs(file: string, more: Record<string, string>): Promise<number> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '-e', measure, path.join(root, file)],
    { env: { PATH: process.env['PATH'], ...settings, ...more }, timeout: 60_000 },
  );
  return Number(stdout.trim().split('\n').at(-1));
}

export const importCost: Bench = async ({ quick, say }) => {
  const { entry } = await buildApp();
  const source = 'functions/app.ts';
  const [bundled, unbundled, ratios]: [number[], number[], number[]] = [[], [], []];
  const [bundledAlone, unbundledAlone]: [number[], number[]] = [[], []];
  await importMs(entry, insights);
  await importMs(source, insights);
  for (let pair = 0; pair < (quick ? 3 : 9); pair++) {
    const a = await importMs(entry, insights);
    const b = await importMs(source, insights);
    bundled.push(a);
    unbundled.push(b);
    ratios.push(a / b);
    bundledAlone.push(await importMs(entry, {}));
    unbundledAlone.push(await importMs(source, {}));
  }
  say(`ratios ${spread(ratios)}`);
  return [
    atMost('import-ratio', median(ratios), 'ratio', 0.3),
    figure('import-bundled-with-insights', median(bundled), 'ms'),
    figure('import-bundled-without-insights', median(bundledAlone), 'ms'),
    figure('import-sources-with-insights', median(unbundled), 'ms'),
    figure('import-sources-without-insights', median(unbundledAlone), 'ms'),
  ];
};
