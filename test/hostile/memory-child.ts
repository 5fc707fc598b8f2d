/** The process whose memory is measured: reads the file that it is told of for a sample or for a score, and tells what it took. */
import { readFile, writeFile } from 'node:fs/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createImageReader } from '../../shared/image/decode.ts';
import { picture } from '../shared/image/craft.ts';

export interface Measured {
  outcome: string;
  /** bytes of resident memory at the peak, above those before the file was read */
  peakBytes: number;
}

export interface Task {
  file: string;
  as: 'sample' | 'score';
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
// how long it takes is not asked here, on a machine that may be busy
const reader = createImageReader({ timeoutSeconds: 100 });
const spec = { width: 64, height: 64, channels: 3 } as const;

/** Linux: resident memory now, and at its peak since the peak was last forgotten. */
async function resident(of: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile('/proc/self/status', 'utf8');
  return Number(new RegExp(`${of}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024;
}

async function measure({ file, as }: Task): Promise<Measured> {
  collect();
  // 5 forgets the peak (proc_pid_clear_refs(5))
  await writeFile('/proc/self/clear_refs', '5');
  const before = await resident('VmRSS');
  const bytes = await readFile(file);
  const verdict = await (as === 'sample' ? reader.inspect(bytes) : reader.preprocess(bytes, undefined, spec));
  const peakBytes = (await resident('VmHWM')) - before;
  return { outcome: verdict.ok ? 'accepted' : verdict.reason, peakBytes };
}

// what is loaded and allocated once is no part of a picture
await reader.inspect(await picture(900, 700).jpeg().toBuffer());
process.on('message', (task: Task) => {
  measure(task).then(
    (measured) => process.send?.(measured),
    (error: unknown) => process.send?.({ outcome: String(error), peakBytes: 0 }),
  );
});
process.send?.('ready');
