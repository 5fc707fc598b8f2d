/** Finding a model version by its number. */
import { TerminalError } from '../errors.ts';
import type { Ports, Stored } from '../ports.ts';
import type { ModelDocument } from './document.ts';
import { modelId } from './register.ts';

/** Reads a model version of a project; throws a TerminalError where there is none. */
export async function findModel(
  { documents }: Pick<Ports, 'documents'>,
  project: string,
  n: string | number,
): Promise<Stored<ModelDocument>> {
  const number = /^\d{1,8}$/.test(String(n)) ? Number(n) : 0;
  const found = number === 0 ? undefined : await documents.read('models', project, modelId(number));
  if (found !== undefined) return found;
  const detail = `There is no model version ${n} in project ${project}. GET /api/v1/projects/${project}/models lists them.`;
  throw new TerminalError('unknown-model', detail, 'number');
}
