/** Finding a prediction by its id. */
import { TerminalError } from '../errors.ts';
import type { Ports, Stored } from '../ports.ts';
import type { PredictionDocument } from './document.ts';
import { predictionPartition } from './score.ts';

/** Reads a prediction of a project; throws a TerminalError where there is none. */
export async function findPrediction(
  { documents }: Pick<Ports, 'documents'>,
  project: string,
  id: string,
): Promise<Stored<PredictionDocument>> {
  const found = await documents.read('predictions', predictionPartition(project, id), id);
  if (found !== undefined) return found;
  const detail = `There is no prediction ${id} in project ${project}. The answer to a score has its id; predictions are kept for 90 days.`;
  throw new TerminalError('unknown-prediction', detail, 'prediction');
}
