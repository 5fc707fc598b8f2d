/** The commands of the workflows on the local services: packages are deployed, kept and put back, by identity. */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** Runs a program of this checkout; resolves with its exit code and what it said. */
export type Run = (script: string, args: string[]) => Promise<{ code: number; said: string }>;

/** What `az` answers beside tokens, for the stand-in of the CLI: outputs of the deployment, and packages that it is given. */
export function cliAnswers(folder: string, outputs: Record<string, string>): string {
  const shown = Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, { type: 'String', value }]));
  return `
const { appendFileSync, readFileSync } = await import('node:fs');
const { createHash } = await import('node:crypto');
const said = process.argv.slice(2).join(' ');
if (said.startsWith('deployment sub show --name darkroom-dev ')) {
  console.log(${JSON.stringify(JSON.stringify(shown))});
  process.exit(0);
}
if (said.startsWith('functionapp deployment source config-zip ')) {
  const zip = readFileSync(process.argv[process.argv.indexOf('--src') + 1]);
  appendFileSync(${JSON.stringify(publishedFile(folder))}, createHash('sha256').update(zip).digest('hex') + '\\n');
  process.exit(0);
}
if (!said.startsWith('account get-access-token')) throw new Error('unexpected: az ' + said);
`;
}

const publishedFile = (folder: string): string => path.join(folder, 'published.log');

/** Deploys two packages, puts the first back, and asks whether the app is ready. Rejects when anything is not as it should. */
export async function deployAndGoBack(run: Run, folder: string, builtZip: string, releasesUri: string): Promise<void> {
  const must = async (script: string, args: string[]): Promise<string> => {
    const { code, said } = await run(script, args);
    if (code !== 0) throw new Error(`${script} ${args.join(' ')} ended with ${code}: ${said}`);
    return said;
  };
  await must('test/package/make-container.ts', [releasesUri]);
  const dev = ['--environment', 'dev'];
  const original = await readFile(builtZip);
  try {
    await must('infra/deploy/package.ts', dev);
    await writeFile(builtZip, Buffer.concat([original, Buffer.from('another release')]));
    await must('infra/deploy/package.ts', dev);
  } finally {
    await writeFile(builtZip, original);
  }
  await must('infra/deploy/package.ts', [...dev, '--release', 'previous']);
  const published = (await readFile(publishedFile(folder), 'utf8')).trim().split('\n');
  if (published.length !== 3 || published[0] !== published[2] || published[0] === published[1])
    throw new Error(`Expected a package, another, and the first again; seen: ${published.join(', ')}`);
  const list = await must('infra/deploy/package.ts', [...dev, '--list']);
  if (!list.includes(published[1]?.slice(0, 12) ?? '?')) throw new Error(`The second release is not listed: ${list}`);
  const ready = await must('infra/deploy/smoke.ts', [...dev, '--ready-only']);
  if (!ready.includes('nothing was uploaded')) throw new Error(`Expected a look and no more; seen: ${ready}`);
  console.log('two packages were deployed and kept, and the first was put back');
}
