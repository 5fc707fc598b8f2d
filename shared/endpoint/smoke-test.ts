/** Smoke-testing a model before it answers anybody. */
import pMap from 'p-map';
import { RetryLater } from '../errors.ts';
import { placementOf } from '../image/placement.ts';
import { loadModel } from '../model/artifact.ts';
import type { ModelDocument } from '../model/document.ts';
import type { Ports } from '../ports.ts';
import { createSampleBudget, type Inference, withSample } from '../prediction/inference.ts';
import { storedName } from '../sample/content.ts';
import { samplePartition } from '../sample/partition.ts';
import { taskOf } from '../task/task.ts';

/** Loads the artifact by its digest and scores samples of which training kept the answers; null when all agree. */
export async function smokeTest(
  ports: Pick<Ports, 'blobs' | 'documents'> & Inference,
  project: string,
  model: ModelDocument,
): Promise<string | null> {
  const kind = taskOf(model);
  const samples = { blobs: ports.blobs, budget: ports.sampleBytes ?? createSampleBudget() };
  const found = await pMap(
    model.smoke,
    async (expected) => {
      const { md5 } = expected;
      // a sample that is gone or cannot be decoded says nothing about the model: it is tested on the others
      const sample = await ports.documents.read('samples', samplePartition(project, md5), md5);
      if (sample === undefined) return [];
      const tensor = await withSample(samples, { name: storedName(project, md5) }, (bytes) =>
        ports.toTensor(bytes, model.image).catch((error: unknown) => {
          if (error instanceof RetryLater) throw error;
          return undefined;
        }),
      );
      return tensor === undefined ? [] : [{ expected, tensor, placement: placementOf(sample.document, model.image) }];
    },
    { concurrency: 4 },
  );
  const kept = found.flat();
  const blank = new Float32Array(model.image.width * model.image.height * model.image.channels);
  const tensors = kept.length === 0 ? [blank] : kept.map((k) => k.tensor);
  // read before it is tried: a store that does not answer now says nothing about the model
  const bytes = await loadModel(ports.blobs, project, model.digest);
  try {
    const ends = kind.ends(model.classes, model.image);
    const outputs = await ports.infer(model.digest, () => Promise.resolve(bytes), tensors, ends);
    for (const [i, { expected, placement }] of kept.entries()) {
      const { classes, metadata = {} } = model;
      const departs = kind.departs(expected, { outputs: outputs[i] ?? {}, classes, metadata, placement });
      if (departs !== undefined) return `sample ${expected.md5} ${departs}`;
    }
    return null;
  } catch (error) {
    if (error instanceof RetryLater) throw error;
    return `the model cannot be served: ${error instanceof Error ? error.message.slice(0, 300) : 'unknown error'}`;
  }
}
