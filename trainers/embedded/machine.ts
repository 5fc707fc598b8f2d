/** What this machine trains on: its NVIDIA GPU where there is one that onnxruntime can use, otherwise its CPU. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { encodeModel } from '../../shared/onnx/encode.ts';
import { type ExecutionProvider, openGraph } from '../../shared/onnx/engine.ts';
import type { JobReport } from '../../shared/training/job-contract.ts';

type Machine = NonNullable<Extract<JobReport, { kind: 'started' }>['machine']>;

const gpuFolder = '/proc/driver/nvidia/gpus';
const gpuDevice = '/dev/nvidia0';

/** Model of the first GPU, as its driver names it; undefined without a driver that says so. */
function gpuModel(): string | undefined {
  try {
    const [first = ''] = readdirSync(gpuFolder);
    const about = readFileSync(path.join(gpuFolder, first, 'information'), 'utf8');
    return /^Model:\s*(.+)$/m.exec(about)?.[1]?.trim().slice(0, 200);
  } catch {
    return undefined;
  }
}

/** Opens the smallest graph on a provider; rejects where its libraries, its driver or its device are missing. */
async function tryOut(provider: ExecutionProvider): Promise<void> {
  const bytes = encodeModel({
    name: 'probe',
    nodes: [{ op: 'Relu', inputs: ['in'], outputs: ['out'] }],
    inputs: [{ name: 'in', shape: [1] }],
    outputs: [{ name: 'out', shape: [1] }],
    initialisers: [],
    metadata: {},
  });
  await (await openGraph(bytes, 1, provider)).release();
}

/**
 * Chooses the execution provider. `asked` is DARKROOM_EXECUTION_PROVIDER: `cpu` and `cuda` are taken at their word,
 * and CUDA that does not work is an error then; `auto` or nothing takes what works.
 */
export async function chooseMachine(
  asked: string | undefined,
  threads: number,
): Promise<Machine & { executionProvider: ExecutionProvider }> {
  const wanted = asked === undefined || asked === '' ? 'auto' : asked;
  if (wanted !== 'auto' && wanted !== 'cpu' && wanted !== 'cuda')
    throw new Error(`DARKROOM_EXECUTION_PROVIDER is ${wanted}; it can be auto, cpu or cuda`);
  const onCpu = { executionProvider: 'cpu' as const, threads };
  if (wanted === 'cpu' || (wanted === 'auto' && !existsSync(gpuDevice))) return onCpu;
  try {
    await tryOut('cuda');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    if (wanted === 'cuda') throw new Error(`CUDA was asked for and does not work: ${why}`, { cause: error });
    console.error(`There is a GPU that onnxruntime cannot use, so the CPU trains: ${why}`);
    return onCpu;
  }
  const accelerator = gpuModel();
  return { executionProvider: 'cuda', threads, ...(accelerator === undefined ? {} : { accelerator }) };
}
