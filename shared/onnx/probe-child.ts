/**
 * Program: loads the model on standard input, runs it on a few images, prints one JSON line (`answerLine`).
 * It is an entry point of its own (also of the bundle), since a crash or a hang in here must not touch the parent.
 * Usage: node probe-child ends sizeBytes timeoutMs, where `ends` are a model's (ends.ts) as JSON
 */
import { Worker } from 'node:worker_threads';
import { imagesPerRun } from './batch.ts';
import { fits, isWithin, type ModelEnds, type OutputEnd } from './ends.ts';
import { floatsOf, floatTensor, openGraph, type Tensor } from './engine.ts';
import type { Answer } from './probe.ts';

const [asked = '', ...numbers] = process.argv.slice(2);
const ends = JSON.parse(asked) as ModelEnds;
const [sizeBytes = 0, timeoutMs = 0] = numbers.map(Number);

/** The parent ends us in time; this is for a parent that was killed. onnxruntime blocks this thread, so another one counts. */
function endInTime(): void {
  const program = `setTimeout(() => process.kill(process.pid, 'SIGKILL'), ${timeoutMs})`;
  new Worker(program, { eval: true }).unref();
}

/** Into one buffer: a large model and its parts would be held twice. */
async function readInput(sizeBytes: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(sizeBytes);
  let read = 0;
  for await (const part of process.stdin) {
    if (read + (part as Buffer).length > sizeBytes) throw new Error(`more than ${sizeBytes} bytes`);
    read += (part as Buffer).copy(bytes, read);
  }
  return bytes.subarray(0, read);
}

/** Pictures that differ in every pixel, the first plainly grey: what is sound for one may be none for another. */
function pictures(count: number, size: number): Float32Array {
  const pixels = new Float32Array(count * size).fill(127);
  // multiplier of Knuth's multiplicative hashing, which spreads neighbours; the same pixels at every try
  for (let at = size; at < pixels.length; at++) pixels[at] = (Math.imul(at, 0x9e3779b1) >>> 24) & 0xff;
  return pixels;
}

/** A row may have millions of numbers, too many for the arguments of a call. */
function range(row: Float32Array): string {
  const [least, most] = [row.reduce((a, b) => Math.min(a, b)), row.reduce((a, b) => Math.max(a, b))];
  return `${least.toPrecision(3)} to ${most.toPrecision(3)}, ${row.reduce((a, b) => a + b, 0).toPrecision(3)} in all`;
}

/** Why one image's numbers are no answer. A picture that a model cannot answer for is met when it comes; grey is none. */
function problemOf(output: OutputEnd, row: Float32Array, isGrey: boolean): string | undefined {
  if (isWithin(output, row)) return undefined;
  if (row.every(Number.isFinite)) return `the outputs are not ${output.are} (${range(row)}): ${output.repair}`;
  return isGrey
    ? 'a plain grey picture is answered with not-a-number or infinity: look for a division by zero, or weights that diverged'
    : undefined;
}

/** Why what a model gave for `count` images is of no use; undefined: it is an answer to each. */
function unusable(outputs: Record<string, Tensor>, count: number): Answer | undefined {
  const chosen = new Map<string, number | string>();
  const given = ends.optional?.filter(({ name }) => name in outputs) ?? [];
  for (const output of [...ends.outputs, ...given]) {
    const tensor = outputs[output.name];
    const numbers = floatsOf(tensor);
    const [images, ...dims] = tensor?.dims ?? [];
    if (images !== count || !fits(output, dims, chosen)) {
      const wanted = [count, ...output.shape].join(', ');
      return { ok: false, detail: `${output.name} is [${tensor?.dims.join(', ')}] and has to be [${wanted}]` };
    }
    const size = numbers.length / count;
    for (let i = 0; i < count; i++) {
      const detail = problemOf(output, numbers.subarray(i * size, (i + 1) * size), i === 0);
      if (detail !== undefined) return { ok: false, no: output.are, detail };
    }
  }
  return undefined;
}

async function probe(): Promise<Answer> {
  const session = await openGraph(await readInput(sizeBytes), 1);
  const { channels, height, width } = ends.input;
  // as one picture is scored, and as many as an evaluation gives at once
  for (const count of new Set([1, imagesPerRun(ends.input)])) {
    const pixels = pictures(count, channels * height * width);
    const outputs = await session.run({ input: floatTensor(pixels, [count, channels, height, width]) });
    const problem = unusable(outputs, count);
    if (problem !== undefined) return problem;
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
