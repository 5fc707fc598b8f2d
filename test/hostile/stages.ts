/** The real queue functions over a small world, with the real reader of images and the real check of models. */
import type { InvocationContext } from '@azure/functions';
import { type BackendPorts, addFunctions } from '../../functions/triggers.ts';
import { createImageReader } from '../../shared/image/decode.ts';
import { toTensor } from '../../shared/image/tensor.ts';
import { createModelCheck } from '../../shared/onnx/model-check.ts';
import type { StageRecord } from '../../shared/ports.ts';
import type { QueueName } from '../../shared/resources.ts';
import type { Fakes } from '../simulation/fakes.ts';

type Handler = (body: unknown, context: InvocationContext) => unknown;

const images = createImageReader();
const checkModel = createModelCheck({ timeoutMs: 20_000, maxMemoryBytes: 512 * 1024 * 1024 });

export interface Stages {
  /**
   * Delivers a message, as the worker hands it over: `{outcome}`, `dead-letter {reason}`, or `retried {message}` when the
   * handler threw, which no input may make it do.
   */
  deliver(queue: QueueName, body: unknown): Promise<string>;
}

const scored = (): Promise<never> => Promise.reject(new Error('no model of the corpus is scored'));

/** Registers the functions over a world. */
export function stagesOf(world: Fakes): Stages {
  const handlers = new Map<string, Handler>();
  let last: StageRecord | undefined;
  const ports: BackendPorts = {
    ...world.ports,
    telemetry: { ...world.ports.telemetry, stage: (record) => void (last = record) },
    inspect: (bytes, declaredType) => images.inspect(bytes, declaredType),
    preprocess: (...call) => images.preprocess(...call),
    draw: (...call) => images.draw(...call),
    toTensor,
    infer: scored,
    inferServed: scored,
    inferPinned: scored,
    validate: checkModel,
  };
  addFunctions(
    {
      serviceBusQueue: (_name, { queueName, handler }) => void handlers.set(queueName, handler as Handler),
      timer: () => undefined,
      http: () => undefined,
    },
    ports,
  );
  return {
    async deliver(queue, body) {
      const handler = handlers.get(queue);
      if (handler === undefined) throw new Error(`there is no handler of ${queue}`);
      const letters = new Map(world.all('dead-letters').map(({ id, count }) => [id, count]));
      last = undefined;
      const context = { invocationId: 'i', triggerMetadata: {} } as unknown as InvocationContext;
      try {
        await handler(body, context);
      } catch (error) {
        return `retried ${error instanceof Error ? error.message : String(error)}`;
      }
      const letter = world.all('dead-letters').find(({ id, count }) => letters.get(id) !== count);
      if (letter !== undefined) return `dead-letter ${letter.reason}`;
      return (last as StageRecord | undefined)?.outcome ?? 'nothing';
    },
  };
}
