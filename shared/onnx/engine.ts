/** The one place that talks to onnxruntime. */
import * as ort from 'onnxruntime-node';

// it reports its use to Microsoft unless this is set when the first session opens
process.env['ORT_DISABLE_TELEMETRY'] = '1';

export type Tensor = ort.Tensor;

/** Another version may give other last bits. */
export const engineVersion = `onnxruntime ${ort.env.versions.node ?? ort.env.versions.common}`;

/** What computes; a node that `cuda` does not know is computed by the CPU. */
export type ExecutionProvider = 'cpu' | 'cuda';

export interface GraphSession {
  /** Runs the graph; blocks the thread that calls it while it computes. `outputs`: those that are wanted; left out: all. */
  run(feeds: Record<string, Tensor>, outputs?: readonly string[]): Promise<Record<string, Tensor>>;
  release(): Promise<void>;
}

/** A float32 tensor over `data` (not copied). */
export function floatTensor(data: Float32Array, dims: readonly number[]): Tensor {
  return new ort.Tensor('float32', data, dims);
}

/** The elements of a float32 tensor. Throws for any other element type. */
export function floatsOf(tensor: Tensor | undefined): Float32Array {
  if (!(tensor?.data instanceof Float32Array)) throw new Error('the graph gave no float32 tensor');
  return tensor.data;
}

/**
 * Loads a model on `threads` CPU threads. Only for models we wrote ourselves or that passed `validateModel`:
 * onnxruntime hangs or crashes on some others. Rejects when the machine lacks what the provider needs.
 * Memory of a run is kept for the next one unless `keepsRunMemory` is false. Threads sleep between runs instead of spinning: an idle process costs nothing.
 */
export async function openGraph(
  bytes: Uint8Array,
  threads: number,
  provider: ExecutionProvider = 'cpu',
  keepsRunMemory = true,
): Promise<GraphSession> {
  const session = await ort.InferenceSession.create(bytes, {
    executionProviders: provider === 'cpu' ? ['cpu'] : [provider, 'cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    enableCpuMemArena: keepsRunMemory,
    logSeverityLevel: 3,
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
  return {
    run: (feeds, outputs) => (outputs === undefined ? session.run(feeds) : session.run(feeds, outputs)),
    release: () => session.release(),
  };
}
