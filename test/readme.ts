/** Pastes the README's example of the API whole into a shell beside an `npm start`, and looks at what it printed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';

const startMs = 120_000;
const pasteMs = 400_000;

/** The one block of shell in the README that calls the API, for a platform elsewhere. */
async function exampleFor(api: string, dataDir: string): Promise<string> {
  const readme = await readFile('README.md', 'utf8');
  const blocks = [...readme.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) => block);
  const example = blocks.find((block) => block.includes('/upload-urls'));
  if (example === undefined) throw new Error('The README has no block of shell that uploads.');
  return example.replaceAll('http://127.0.0.1:7071/api/v1', api).replaceAll('.darkroom/', `${dataDir}/`);
}

const folder = await mkdtemp(path.join(tmpdir(), 'darkroom-readme-'));
const ports = ['HTTP', 'BLOB', 'SERVICEBUS', 'COSMOS', 'ARM', 'INSIGHTS'].map((name) => [`DARKROOM_${name}_PORT`, '0']);
const platform = spawn(process.execPath, ['local/start.ts'], {
  env: { ...process.env, ...Object.fromEntries(ports), DARKROOM_DATA: folder },
  stdio: ['ignore', 'pipe', 'inherit'],
});

/** Resolves with the address of the API once the platform has printed all that it prints. */
async function started(): Promise<string> {
  let said = '';
  const signal = AbortSignal.timeout(startMs);
  while (!said.includes('Ctrl-C stops everything')) {
    const [bytes] = (await once(platform.stdout, 'data', { signal })) as [Buffer];
    said += bytes.toString();
  }
  return /http:\/\/[\d.:]+\/api\/v1/.exec(said)?.[0] ?? '';
}

async function paste(example: string): Promise<string> {
  // read from its input, as a terminal hands it over, not from a file
  const shell = spawn('bash', { stdio: ['pipe', 'pipe', 'inherit'], timeout: pasteMs });
  shell.stdin.end(example);
  let said = '';
  for await (const bytes of shell.stdout as Readable) {
    process.stdout.write(bytes as Buffer);
    said += String(bytes);
  }
  return said;
}

/** What each part of the example has to print. */
const expected: [what: string, pattern: RegExp][] = [
  ['every file is stored', /^ *400 201$/m],
  ['the project counts them', /"accepted":/],
  ['a version', /"number":1\b/],
  ['a model', /"state":"approved"/],
  ['a score', /"predictionId":/],
  ['another training', /"decision":"start"/],
  ['the model before is back', /"production":\{"model":1\b(?!.*"production":\{)/s],
];

try {
  const said = await paste(await exampleFor(await started(), folder));
  const missing = expected.filter(([, pattern]) => !pattern.test(said)).map(([what]) => what);
  for (const what of missing) console.log(`MISSING: ${what}`);
  console.log(
    `${expected.length - missing.length} of ${expected.length} parts of the README's example did what they say`,
  );
  process.exitCode = missing.length === 0 ? 0 : 1;
} finally {
  platform.kill('SIGTERM');
  if (platform.exitCode === null) await once(platform, 'exit');
  await rm(folder, { recursive: true, force: true });
}
