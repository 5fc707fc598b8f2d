/** Where artifacts of registered models lie: under their digest, written once. */
import { RetryLater } from '../errors.ts';
import type { Blobs } from '../ports.ts';

/** Name of an artifact's blob in the container `models`. */
export const modelBlob = (project: string, digest: string): string => `${project}/${digest}.onnx`;
/**
 * A request to Azure Functions has 210 MB at most. The check of one so large takes some 0.6 GB beside
 * the bytes themselves (docs/models.md), and an instance has 2 GB.
 */
export const maxModelBytes = 200 * 1024 * 1024;

/** Reads a registered artifact. */
export async function loadModel(blobs: Blobs, project: string, digest: string): Promise<Buffer> {
  const found = await blobs.get('models', modelBlob(project, digest), { maxBytes: maxModelBytes });
  if (found === undefined || found === 'too-large')
    throw new RetryLater(`model ${digest} of ${project} cannot be read`);
  return found.body;
}
