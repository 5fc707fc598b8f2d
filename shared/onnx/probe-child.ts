/**
 * Program: loads the model on standard input, runs it once on a grey image, prints one JSON line.
 * It is an entry point of its own (also of the bundle), since a crash or a hang in here must not touch the parent.
 * Usage: node probe-child channels height width classes maxBytes
 */
import { floatsOf, floatTensor, openGraph } from './engine.ts';

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
  const [channels = 0, height = 0, width = 0, classes = 0, maxBytes = 0] = process.argv.slice(2).map(Number);
  const session = await openGraph(await readInput(maxBytes), 1);
  const pixels = new Float32Array(2 * channels * height * width).fill(127);
  const outputs = await session.run({ input: floatTensor(pixels, [2, channels, height, width]) });
  const probabilities = floatsOf(outputs['probabilities']);
  if (probabilities.length !== 2 * classes)
    return { ok: false, detail: `${probabilities.length} outputs for two images` };
  const sum = probabilities.subarray(0, classes).reduce((total, value) => total + value, 0);
  const proper = probabilities.every((value) => value >= 0 && value <= 1) && Math.abs(sum - 1) < 1e-3;
  return proper ? { ok: true, detail: '' } : { ok: false, detail: 'the outputs are not probabilities' };
}

let answer;
try {
  answer = await probe();
} catch (error) {
  answer = { ok: false, detail: error instanceof Error ? error.message.slice(0, 300) : 'unknown' };
}
process.stdout.write(`${JSON.stringify(answer)}\n`);
