/**
 * `npm run examples`: runs the examples that come with an exported model of each kind, with the runtimes that are on this
 * machine: onnxruntime for Python in a virtual environment, onnxruntime-web in a folder of its own, ML.NET where there is
 * dotnet. That of curl runs against a platform in test/e2e/own-models.test.ts. Prints one line each and closes with
 * `N passed, N failed, N skipped`.
 */
import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { hasPython, pythonWith } from '../python.ts';
import { type Task, tasks, unpacked } from '../shared/model/export/exported.ts';

const stepMs = 300_000;
/** of the version of onnxruntime-node here */
const web = 'onnxruntime-web@1.30.0';

interface Runtime {
  name: string;
  /** why it cannot be tried; undefined: it can */
  missing?: string | undefined;
  commands: (folder: string) => [string, ...string[]][];
}

const root = await mkdtemp(path.join(tmpdir(), 'darkroom-examples-'));
const npm = ['install', '--no-audit', '--no-fund', '--no-save', '--ignore-scripts', '--prefix', root, web];

function run([command, ...args]: [string, ...string[]], cwd: string): string | undefined {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, timeout: stepMs, encoding: 'utf8' });
  process.stdout.write(stdout);
  return status === 0 ? undefined : `${command} ${args.join(' ')} ended with ${status}: ${stderr.slice(-2000)}`;
}

async function runtimes(): Promise<Runtime[]> {
  const python = hasPython() ? await pythonWith(path.join(import.meta.dirname, 'requirements.txt'), 'examples') : '';
  const installed = run(['npm', ...npm], root);
  const hasDotnet = spawnSync('dotnet', ['--version']).status === 0;
  return [
    {
      name: 'Python (onnxruntime)',
      missing: python === '' ? 'there is no python3 with venv' : undefined,
      commands: () => [
        [python, 'example.py'],
        [python, 'example.py', 'golden.png'],
      ],
    },
    {
      name: 'JavaScript (onnxruntime-web)',
      missing: installed,
      commands: () => [[process.execPath, 'example.mjs']],
    },
    {
      name: '.NET (ML.NET)',
      missing: hasDotnet ? undefined : 'there is no dotnet',
      commands: (folder) => [
        ['dotnet', 'new', 'console', '--force', '-o', path.join(folder, 'example')],
        ['sh', '-c', 'cp model.onnx model.json golden.* example/ && cp example.cs example/Program.cs'],
        ['dotnet', 'add', 'example', 'package', 'Microsoft.ML.OnnxTransformer'],
        ['dotnet', 'add', 'example', 'package', 'Microsoft.ML.OnnxRuntime'],
        ['sh', '-c', 'cd example && dotnet run'],
      ],
    },
  ];
}

const counts = { passed: 0, failed: 0, skipped: 0 };

async function tryOne({ name, missing, commands }: Runtime, task: Task): Promise<void> {
  if (missing !== undefined) {
    counts.skipped++;
    return console.log(`skipped: ${name}, ${task}: ${missing}`);
  }
  const folder = path.join(root, `${task}-${counts.passed + counts.failed}`);
  await mkdir(folder);
  await cp(path.join(root, task), folder, { recursive: true });
  const problem = commands(folder)
    .map((command) => run(command, folder))
    .find((one) => one !== undefined);
  counts[problem === undefined ? 'passed' : 'failed']++;
  console.log(problem === undefined ? `passed: ${name}, ${task}` : `failed: ${name}, ${task}: ${problem}`);
}

try {
  for (const task of tasks) await unpacked(root, task);
  for (const runtime of await runtimes()) for (const task of tasks) await tryOne(runtime, task);
} finally {
  await rm(root, { recursive: true, force: true });
}
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed === 0 ? 0 : 1;
