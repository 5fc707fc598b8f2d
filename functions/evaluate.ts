/** `evaluations`: a message is a run that has trained a model, or a batch that goes on. */
import type * as z from 'zod';
import { advanceBatch, type AdvancePorts } from '../shared/batch/advance.ts';
import type { queueMessages } from '../shared/delivery/message.ts';
import { evaluate, type EvaluatePorts } from '../shared/evaluation/evaluate.ts';
import { consume, type QueueFunction } from './consume.ts';

type Ports = EvaluatePorts & AdvancePorts;

/** Runs models on many pictures. */
export const evaluateFunction = (ports: Ports): QueueFunction =>
  consume(ports, 'evaluations', 'evaluate', (message) => runModels(ports, message));

/** Handles one wake-up of the evaluation stage. */
async function runModels(
  ports: Ports,
  message: z.infer<(typeof queueMessages)['evaluations']>,
): Promise<{ outcome: string; model?: string }> {
  switch (message.type) {
    case 'darkroom.run.trained':
      return evaluate(ports, message);
    case 'darkroom.batch.due':
      return advanceBatch(ports, message);
  }
}
