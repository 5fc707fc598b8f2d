/** Program of a thread that loads and runs models for thread.ts, one request at a time, since onnxruntime blocks its thread. */
import { parentPort } from 'node:worker_threads';
import { floatsOf, floatTensor, type GraphSession, openGraph } from './engine.ts';
import type { NamedTensors } from './ends.ts';
import type { Answer, Request } from './thread.ts';

const sessions = new Map<number, GraphSession>();

function sessionOf(model: number): GraphSession {
  const session = sessions.get(model);
  if (session === undefined) throw new Error(`model ${model} is not loaded in this thread`);
  return session;
}

async function run(model: number, inputs: NamedTensors, asked: readonly string[] | undefined): Promise<NamedTensors> {
  const feeds = Object.entries(inputs).map(([name, { data, dims }]) => [name, floatTensor(data, dims)] as const);
  const outputs = Object.entries(await sessionOf(model).run(Object.fromEntries(feeds), asked));
  return Object.fromEntries(outputs.map(([name, tensor]) => [name, { data: floatsOf(tensor), dims: tensor.dims }]));
}

async function answer(request: Request): Promise<NamedTensors> {
  switch (request.kind) {
    case 'load':
      sessions.set(request.model, await openGraph(request.bytes, 1, 'cpu', request.keepsRunMemory));
      return {};
    case 'run':
      return run(request.model, request.inputs, request.outputs);
    case 'unload':
      await sessionOf(request.model).release();
      sessions.delete(request.model);
      return {};
  }
}

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- only windows have one
const tell = (told: Answer): void => parentPort?.postMessage(told);

parentPort?.on('message', (request: Request) => {
  answer(request).then(
    (outputs) => tell({ outputs }),
    (error: unknown) => tell({ problem: error instanceof Error ? error.message : String(error) }),
  );
});
