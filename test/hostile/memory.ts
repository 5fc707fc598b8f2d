/** How much memory a picture takes of a process that judges it, measured in one of its own. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { largePictures } from './large.ts';
import type { Measured, Task } from './memory-child.ts';

/** Above what the process has while nothing happens. */
export const mostBytes = 300e6;
/** A decode may take 20 s, and the machine may be busy with others. */
const measureMs = 120_000;

export interface Peak extends Measured {
  name: string;
  expected: string;
  fileBytes: number;
  as: Task['as'];
}

/** Measures all large pictures, one after the other, each in a new process: memory that libc keeps must not hide any. */
export async function measurePeaks(onDone: (peak: Peak) => void, pictures = largePictures): Promise<Peak[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'darkroom-memory-'));
  const peaks: Peak[] = [];
  try {
    for (const { name, make, expected } of pictures) {
      const file = path.join(folder, 'picture');
      const bytes = await make();
      await writeFile(file, bytes);
      for (const as of ['sample', 'score'] as const)
        peaks.push({ name, expected, fileBytes: bytes.length, as, ...(await measureFile({ file, as })) });
      peaks.slice(-2).forEach(onDone);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
  return peaks;
}

async function measureFile(task: Task): Promise<Measured> {
  const child = fork(path.join(import.meta.dirname, 'memory-child.ts'), { timeout: measureMs });
  try {
    await once(child, 'message');
    child.send(task);
    const ended = once(child, 'exit').then(([code, signal]): never => {
      throw new Error(`the measured process ended (${String(signal ?? code)})`);
    });
    const [measured] = (await Promise.race([once(child, 'message'), ended])) as [Measured];
    return measured;
  } catch (error) {
    return { outcome: (error as Error).message, peakBytes: 0 };
  } finally {
    child.kill();
  }
}
