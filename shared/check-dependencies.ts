/** Whether everything that the backend needs of the outside answers. */
import type { Ports } from './ports.ts';

/** what an answer repeats of an error */
const maxDetailLength = 300;

export interface Dependency {
  ok: boolean;
  detail: string | null;
}

/** Asks each dependency for something small. Never rejects. */
export async function checkDependencies({
  documents,
  blobs,
  messages,
  compute,
  otherComputes = {},
}: Pick<Ports, 'documents' | 'blobs' | 'messages' | 'compute' | 'otherComputes'>) {
  const [ofDocuments, ofBlobs, ofMessages, ofCompute] = await Promise.all([
    check(() => documents.read('projects', 'projects', 'readiness')),
    check(() => blobs.exists('datasets', 'readiness')),
    check(() => messages.reach('trainings')),
    check(() => Promise.all([compute, ...Object.values(otherComputes)].map((one) => one.list()))),
  ]);
  return { documents: ofDocuments, blobs: ofBlobs, messages: ofMessages, compute: ofCompute };
}

async function check(ask: () => Promise<unknown>): Promise<Dependency> {
  try {
    await ask();
    return { ok: true, detail: null };
  } catch (error) {
    return { ok: false, detail: error instanceof Error ? error.message.slice(0, maxDetailLength) : 'failed' };
  }
}
