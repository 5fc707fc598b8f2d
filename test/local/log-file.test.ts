import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createLogFile } from '../../local/log-file.ts';
import { fillDisk, makeRoom } from '../torture/disk.ts';

async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'log-file-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
const unexpected = (error: Error): void => {
  throw error;
};

test('keeps the newest lines in two files of bounded size, in order', async () => {
  const folder = await emptyFolder();
  const file = path.join(folder, 'platform.log');
  const log = createLogFile(file, unexpected, 1000);
  for (let i = 0; i < 500; i++) {
    log.write(`line ${i}`);
    if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await log.close();
  expect((await readdir(folder)).sort()).toEqual(['platform.log', 'platform.log.1']);
  for (const name of await readdir(folder))
    expect((await stat(path.join(folder, name))).size).toBeLessThanOrEqual(1000);
  const kept = (await readFile(`${file}.1`, 'utf8')) + (await readFile(file, 'utf8'));
  const lines = kept.trimEnd().split('\n');
  expect(lines).toEqual(Array.from({ length: lines.length }, (_, i) => `line ${500 - lines.length + i}`));
  expect(lines.length).toBeGreaterThan(80);
});

test('goes on where the last start ended', async () => {
  const file = path.join(await emptyFolder(), 'platform.log');
  for (const line of ['first', 'second']) {
    const log = createLogFile(file, unexpected);
    log.write(line);
    await log.close();
  }
  expect(await readFile(file, 'utf8')).toBe('first\nsecond\n');
});

test('a place that cannot be written to is told once and ends nothing', async () => {
  const problems: string[] = [];
  const log = createLogFile(path.join(await emptyFolder(), 'missing', 'platform.log'), (e) => problems.push(e.message));
  for (let i = 0; i < 3; i++) log.write('line');
  await expect.poll(() => problems).toEqual([expect.stringContaining('ENOENT')]);
  await log.close();
});

test.skipIf(process.platform !== 'linux')(
  'a full disk loses lines; once there is room the next ones are kept',
  async () => {
    const file = path.join(await emptyFolder(), 'platform.log');
    const problems: string[] = [];
    const log = createLogFile(file, (e) => problems.push(e.message));
    onTestFinished(() => makeRoom(process.pid));
    log.write('before');
    await expect.poll(async () => readFile(file, 'utf8')).toBe('before\n');
    fillDisk(process.pid);
    log.write('x'.repeat(10_000));
    await expect.poll(() => problems).toEqual([expect.stringContaining('EFBIG')]);
    log.write('lost');
    makeRoom(process.pid);
    const end = async () => {
      log.write('after');
      return (await readFile(file, 'utf8')).split('\n').at(-2);
    };
    await expect.poll(end, { timeout: 5000 }).toBe('after');
    await log.close();
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    expect(lines.filter((line) => !line.startsWith('xxx') && line !== 'after')).toEqual(['before']);
  },
);
