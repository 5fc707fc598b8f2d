/** The trainers of this repository, as the suite tries them. */
import path from 'node:path';
import type { Subject } from './attempt.ts';

const root = path.resolve(import.meta.dirname, '../../..');
const inRoot = (command: string): string => `cd '${root}' && exec env ${command}`;
const node = `'${process.execPath}'`;

/** By name; each is a row of the table. */
export const subjects: Record<string, Subject> = {
  embedded: {
    command: inRoot(`${node} trainers/embedded/main.ts`),
    task: 'classification',
    trainer: 'resnet-small',
    image: { width: 16, height: 16, channels: 3 },
    parameters: { epochs: 2, width: 4, batchSize: 8 },
    lasting: { epochs: 1000, patience: 1000, width: 4 },
    decodes: true,
  },
  curl: {
    command: inRoot(
      `MODEL=test/fixtures/models/good.onnx JSON="node test/fixtures/json-field.mjs" sh test/fixtures/curl-trainer.sh`,
    ),
    task: 'classification',
    trainer: 'mine',
    image: { width: 32, height: 32, channels: 3 },
    parameters: {},
    decodes: false,
  },
};
