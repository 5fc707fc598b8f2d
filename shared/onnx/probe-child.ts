/**
 * Program: loads the model on standard input, runs it once on grey images, prints one JSON line.
 * It is an entry point of its own (also of the bundle), since a crash or a hang in here must not touch the parent.
 * Usage: node probe-child channels height width classes maxBytes timeoutMs
 */
import { Worker } from 'node:worker_threads';
import { floatsOf, floatTensor, imagesPerRun, openGraph } from './engine.ts';

const [channels = 0, height = 0, width = 0, classes = 0, maxBytes = 0, timeoutMs = 0] = process.argv
  .slice(2)
  .map(Number);

/** The parent ends us in time; this is for a parent that was killed. onnxruntime blocks this thread, so another one counts. */
function endInTime(): void {
  const program = `setTimeout(() => process.kill(process.pid, 'SIGKILL'), ${timeoutMs})`;
  new Worker(program, { eval: true }).unref();
}

async function readInput(maxBytes: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let sizeBytes = 0;
  for await (const part of process.stdin) {
    sizeBytes += (part as Buffer).length;
    if (sizeBytes > maxBytes) throw new Error(`more than ${maxBytes} bytes`);
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts);
}

async function probe(): Promise<{ ok: boolean; detail: string }> {
  const session = await openGraph(await readInput(maxBytes), 1);
  const pixels = new Float32Array(imagesPerRun * channels * height * width).fill(127);
  const outputs = await session.run({ input: floatTensor(pixels, [imagesPerRun, channels, height, width]) });
  const probabilities = floatsOf(outputs['probabilities']);
  if (probabilities.length !== imagesPerRun * classes)
    return { ok: false, detail: `${probabilities.length} numbers for ${imagesPerRun} images of ${classes} classes` };
  const sum = probabilities.subarray(0, classes).reduce((total, value) => total + value, 0);
  const proper = probabilities.every((value) => value >= 0 && value <= 1) && Math.abs(sum - 1) < 1e-3;
  return proper ? { ok: true, detail: '' } : { ok: false, detail: 'the outputs are not probabilities' };
}

endInTime();
let answer;
try {
  answer = await probe();
} catch (error) {
  answer = { ok: false, detail: error instanceof Error ? error.message.slice(0, 300) : 'unknown' };
}
process.stdout.write(`${JSON.stringify(answer)}\n`);
