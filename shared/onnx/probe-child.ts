/**
 * Program: loads the model on standard input, runs it on a few images, prints one JSON line (`answerLine`).
 * It is an entry point of its own (also of the bundle), since a crash or a hang in here must not touch the parent.
 * Usage: node probe-child channels height width classes maxBytes timeoutMs
 */
import { Worker } from 'node:worker_threads';
import { imagesPerRun } from './batch.ts';
import { floatsOf, floatTensor, openGraph } from './engine.ts';
import { areProbabilities } from './probabilities.ts';
import type { Answer } from './probe.ts';

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

/** Pictures that differ in every pixel, the first plainly grey: numbers that are probabilities of one may be none of another. */
function pictures(count: number, size: number): Float32Array {
  const pixels = new Float32Array(count * size).fill(127);
  // multiplier of Knuth's multiplicative hashing, which spreads neighbours; the same pixels at every try
  for (let at = size; at < pixels.length; at++) pixels[at] = (Math.imul(at, 0x9e3779b1) >>> 24) & 0xff;
  return pixels;
}

const range = (row: Float32Array): string =>
  `${Math.min(...row).toPrecision(3)} to ${Math.max(...row).toPrecision(3)}, ${row.reduce((a, b) => a + b, 0).toPrecision(3)} in all`;

/** Why one image's numbers are no answer. A picture that a model cannot answer for is met when it comes; grey is none. */
function problemOf(row: Float32Array, isGrey: boolean): string | undefined {
  if (areProbabilities(row)) return undefined;
  if (row.every(Number.isFinite)) {
    return `the outputs are not probabilities (${range(row)}): add a Softmax over the classes at the end of the model`;
  }
  return isGrey
    ? 'a plain grey picture is answered with not-a-number or infinity: look for a division by zero, or weights that diverged'
    : undefined;
}

async function probe(): Promise<Answer> {
  const session = await openGraph(await readInput(maxBytes), 1);
  // as one picture is scored, and as many as an evaluation gives at once
  for (const count of [1, imagesPerRun]) {
    const pixels = pictures(count, channels * height * width);
    const outputs = await session.run({ input: floatTensor(pixels, [count, channels, height, width]) });
    const probabilities = floatsOf(outputs['probabilities']);
    if (probabilities.length !== count * classes)
      return { ok: false, detail: `${probabilities.length} numbers for ${count} images of ${classes} classes` };
    for (let i = 0; i < count; i++) {
      const problem = problemOf(probabilities.subarray(i * classes, (i + 1) * classes), i === 0);
      if (problem !== undefined) return { ok: false, isAnswer: true, detail: problem };
    }
  }
  return { ok: true, detail: '' };
}

endInTime();
let answer: Answer;
try {
  answer = await probe();
} catch (error) {
  answer = { ok: false, detail: error instanceof Error ? error.message.slice(0, 300) : 'unknown' };
}
process.stdout.write(`${JSON.stringify(answer)}\n`);
