/** The trainers of this repository, as the suite tries them: each is a column of the table. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { hasPython, pythonWith } from '../../python.ts';
import type { Subject } from './attempt.ts';

const root = path.resolve(import.meta.dirname, '../../..');
const inRoot = (command: string): string => `cd '${root}' && exec env ${command}`;
const colour = (side: number) => ({ width: side, height: side, channels: 3 }) as const;

/** Those that npm alone can run. */
export const npmSubjects: Record<string, Subject> = {
  embedded: {
    command: inRoot(`'${process.execPath}' trainers/embedded/main.ts`),
    task: 'classification',
    trainer: 'resnet-small',
    image: colour(16),
    parameters: { epochs: 2, width: 4, batchSize: 8 },
    lasting: { epochs: 1000, patience: 1000, width: 4 },
    decodes: true,
  },
  centernet: {
    command: inRoot(`'${process.execPath}' trainers/embedded/main.ts`),
    task: 'detection',
    trainer: 'centernet',
    image: colour(64),
    parameters: { epochs: 2, copies: 0 },
    lasting: { epochs: 1000, patience: 1000, copies: 0 },
    decodes: true,
  },
  curl: {
    command: inRoot(
      'MODEL=test/fixtures/models/good.onnx JSON="node test/fixtures/json-field.mjs" sh test/fixtures/curl-trainer.sh',
    ),
    task: 'classification',
    trainer: 'mine',
    image: colour(32),
    parameters: {},
    decodes: false,
  },
};

const linear = path.join(root, 'test/fixtures/python-trainer');
const pytorch = path.join(root, 'trainers/pytorch');

/** The example of docs/trainers.md; a text says why it cannot be tried here. */
async function pythonExample(): Promise<Subject | string> {
  if (!hasPython()) return 'there is no python3 with venv';
  const isNew = spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 11))']).status === 0;
  if (!isNew) return 'numpy wants Python 3.11 or later';
  const python = await pythonWith(path.join(linear, 'requirements.txt'), 'python-trainer');
  return {
    command: `exec '${python}' '${path.join(linear, 'linear.py')}'`,
    task: 'classification',
    trainer: 'linear',
    image: colour(32),
    parameters: {},
    lasting: { epochs: 1_000_000 },
    decodes: true,
  };
}

/** In the environment that trainers/pytorch/check.sh makes. */
function pytorchClassifier(): Subject | string {
  const python = path.join(pytorch, '.venv/bin/python');
  if (!existsSync(python)) return 'trainers/pytorch/check.sh has not been run';
  const parameters = { weights: 'none', backbone: 'mobilenetv3_small_050', batchSize: 8 };
  return {
    command: `cd '${pytorch}' && exec '${python}' -m darkroom_trainer`,
    task: 'classification',
    trainer: 'pytorch-classifier',
    image: colour(32),
    parameters: { ...parameters, epochs: 1 },
    lasting: { ...parameters, epochs: 1000, patience: 1000 },
    decodes: true,
  };
}

/** All of them, by name. */
export const subjects: Record<string, () => Subject | string | Promise<Subject | string>> = {
  ...Object.fromEntries(Object.entries(npmSubjects).map(([name, subject]) => [name, () => subject])),
  python: pythonExample,
  pytorch: pytorchClassifier,
};
