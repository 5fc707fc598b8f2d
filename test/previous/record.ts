/**
 * `npm run record:previous`: keeps the types of what this release writes, for the next one to be held to
 * (test/previous/readable.ts). Run it when a version is tagged, and commit what it writes.
 */
import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { globSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../..');
const target = path.join(import.meta.dirname, 'types');
const sources = [
  'shared/document-types.ts',
  ...globSync('shared/task/*/{annotation,gate,manifest,metrics,prediction,smoke}.ts', { cwd: root }),
  'shared/delivery/message.ts',
  'shared/training/job-contract.ts',
];

function run(command: string, args: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' });
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`${command} ended with ${code}`))));
  });
}

await rm(target, { recursive: true, force: true });
await run('tsc', [
  ...['--ignoreConfig', '--declaration', '--emitDeclarationOnly', '--outDir', target, '--rootDir', 'shared'],
  ...['--target', 'es2024', '--module', 'nodenext', '--types', 'node', '--strict', '--exactOptionalPropertyTypes'],
  ...['--allowImportingTsExtensions', '--skipLibCheck', ...sources],
]);
await run('oxfmt', [target]);
