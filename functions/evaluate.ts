/** `evaluations`: a message is a run that has trained a model. */
import { evaluate, type EvaluatePorts } from '../shared/evaluation/evaluate.ts';
import { consume, type QueueFunction } from './consume.ts';

/** Evaluates the model of a run, and registers it. */
export const evaluateFunction = (ports: EvaluatePorts): QueueFunction =>
  consume(ports, 'evaluations', 'evaluate', (message) => evaluate(ports, message));
