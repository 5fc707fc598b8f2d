/** Who may import whom: the linter, with our rules, over files that try. */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as z from 'zod';

const root = path.join(import.meta.dirname, '..');

/** By importer: what it may import, and what it may not. */
const layers: Record<string, { may: string[]; mayNot: string[] }> = {
  'functions/ingest.ts': {
    may: ['../shared/upload/ingest.ts', '@azure/functions', 'zod', 'p-map', 'node:fs/promises', './consume.ts'],
    mayNot: [
      ...['../shared/azure/blobs.ts', '../local/platform.ts', '../client/client.ts', '../trainers/embedded/main.ts'],
      ...['../cli/keys.ts', '../test/random.ts', '../infra/declared.ts', './app.ts', '@azure/cosmos', 'sharp'],
      ...['onnxruntime-node', 'applicationinsights', 'left-pad'],
    ],
  },
  'functions/http/api/models.ts': { may: ['../../../shared/ports.ts'], mayNot: ['../../app.ts'] },
  'functions/app.ts': {
    may: ['../shared/azure/connect.ts', '../shared/image/decode.ts', './triggers.ts', '@azure/functions'],
    mayNot: ['../local/platform.ts', '@azure/cosmos', 'sharp'],
  },
  'shared/upload/ingest.ts': {
    may: ['../ports.ts', '../sample/admit.ts', '../image/decode.ts', 'zod', 'p-map', 'fflate', 'node:crypto'],
    mayNot: [
      ...['../azure/blobs.ts', '../../functions/triggers.ts', '../../local/platform.ts', '../../client/client.ts'],
      ...['../../trainers/embedded/main.ts', '../../cli/keys.ts', '../../test/random.ts', '../../infra/declared.ts'],
      ...['@azure/functions', '@azure/storage-blob', 'sharp', 'onnxruntime-node', '@opentelemetry/api', 'left-pad'],
    ],
  },
  'shared/azure/blobs.ts': {
    may: ['../ports.ts', '@azure/storage-blob', 'applicationinsights', 'zod'],
    mayNot: ['../../functions/triggers.ts', '../../local/platform.ts', 'sharp', 'onnxruntime-node'],
  },
  'shared/image/decode.ts': {
    may: ['sharp', '../errors.ts', 'zod'],
    mayNot: ['onnxruntime-node', '../azure/blobs.ts', '@azure/storage-blob', '../../functions/triggers.ts'],
  },
  'shared/onnx/session.ts': {
    may: ['onnxruntime-node', '../budget.ts', '../image/tensor.ts'],
    mayNot: ['sharp', '../azure/blobs.ts', '@azure/storage-blob', '../../trainers/embedded/main.ts'],
  },
  'shared/api/views/model.ts': {
    may: ['zod', '../../model/document.ts'],
    mayNot: ['node:crypto', '../../azure/blobs.ts', '../../digest.ts', 'p-map', '../../../client/client.ts', 'sharp'],
  },
  'client/models.ts': {
    may: ['zod', './client.ts', '../shared/api/views/model.ts'],
    mayNot: ['node:fs', '../shared/model/document.ts', '../shared/ports.ts', '../local/demo/table.ts', 'p-map'],
  },
  'trainers/embedded/main.ts': {
    may: [
      '../../shared/training/job-contract.ts',
      '../../shared/image/tensor.ts',
      '../../shared/onnx/engine.ts',
      'zod',
    ],
    mayNot: [
      ...['../../shared/azure/blobs.ts', '../../functions/triggers.ts', '../../local/platform.ts'],
      ...['../../client/client.ts', 'onnxruntime-node', 'sharp', '@azure/storage-blob'],
    ],
  },
  'cli/smoke-test.ts': {
    may: ['../client/models.ts', '../local/demo/pictures.ts', '../shared/api/keys.ts', 'node:util'],
    mayNot: [
      ...['../shared/model/register.ts', '../shared/azure/connect.ts', '../functions/triggers.ts'],
      ...['../local/platform.ts', '../test/random.ts', '../trainers/embedded/main.ts'],
    ],
  },
  'cli/keys.ts': { may: ['../shared/azure/connect.ts', '../shared/key/create.ts'], mayNot: ['../local/platform.ts'] },
  'local/blob/server.ts': {
    may: ['../../shared/resources.ts', '../../shared/config.ts', 'rhea', 'node:http', '@azure/service-bus'],
    mayNot: [
      ...['../../shared/upload/ingest.ts', '../../shared/azure/blobs.ts', '../../shared/image/decode.ts'],
      ...[
        '../../functions/triggers.ts',
        '../../trainers/embedded/main.ts',
        '../../test/random.ts',
        '../../cli/keys.ts',
      ],
    ],
  },
  'local/demo/story.ts': {
    may: ['../../client/models.ts', '../../shared/api/keys.ts', 'sharp'],
    mayNot: ['../../shared/resources.ts', '../../shared/model/register.ts', '../../functions/triggers.ts'],
  },
  'infra/declared.ts': { may: ['../shared/resources.ts', '../local/build.ts'], mayNot: ['../functions/app.ts'] },
  'test/bench/score.ts': {
    may: ['../../functions/triggers.ts', '../local/functions-host/app.ts'],
    mayNot: ['../../functions/app.ts'],
  },
};

const found = z.object({
  diagnostics: z.array(
    z.object({
      code: z.string(),
      filename: z.string(),
      labels: z.array(z.object({ span: z.object({ line: z.number() }) })),
    }),
  ),
});
/** `importer: import`, as the linter refused them */
let refused: Set<string>;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'layers-'));
  await copyFile(path.join(root, '.oxlintrc.json'), path.join(folder, '.oxlintrc.json'));
  for (const [file, { may, mayNot }] of Object.entries(layers)) {
    await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
    // loaded when first needed is imported all the same
    const lines = [...may, ...mayNot].map((name, i) => `export const load${i} = () => import('${name}');`);
    await writeFile(path.join(folder, file), lines.join('\n'));
  }
  const oxlint = path.join(root, 'node_modules/oxlint/bin/oxlint');
  const { stdout } = await promisify(execFile)(process.execPath, [oxlint, '--format', 'json', '.'], {
    cwd: folder,
    maxBuffer: 64 * 1024 * 1024,
  }).catch((error: unknown) => error as { stdout: string });
  refused = new Set(
    found
      .parse(JSON.parse(stdout))
      .diagnostics.filter(({ code }) => code === 'eslint(no-restricted-imports)')
      .map(({ filename, labels }) => {
        const { may = [], mayNot = [] } = layers[filename] ?? {};
        return `${filename}: ${[...may, ...mayNot][(labels[0]?.span.line ?? 0) - 1]}`;
      }),
  );
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

test.each(Object.entries(layers))('%s imports what it may and nothing else', (file, { may, mayNot }) => {
  expect(may.filter((name) => refused.has(`${file}: ${name}`))).toEqual([]);
  expect(mayNot.filter((name) => !refused.has(`${file}: ${name}`))).toEqual([]);
});
