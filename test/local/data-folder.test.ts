import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { takeDataFolder } from '../../local/data-folder.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'data-folder-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('a data folder is taken by one, and free again when that one is done', async () => {
  const first = await takeDataFolder(folder);
  await expect(takeDataFolder(folder)).rejects.toThrow(
    `Another platform (process ${process.pid}) uses the data folder ${folder}: stop it first, or choose another folder with dataDir`,
  );
  await first.close();
  await (await takeDataFolder(folder)).close();
});

test('a process that is killed leaves no lock behind', async () => {
  const source = `
    import { takeDataFolder } from ${JSON.stringify(path.resolve(import.meta.dirname, '../../local/data-folder.ts'))};
    await takeDataFolder(${JSON.stringify(folder)});
    console.log('taken');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(createInterface(child.stdout), 'line');
  await expect(takeDataFolder(folder)).rejects.toThrow(`(process ${child.pid})`);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await (await takeDataFolder(folder)).close();
});
