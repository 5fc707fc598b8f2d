/** Smoke-testing a model before it answers anybody. */
import pMap from 'p-map';
import { RetryLater } from '../errors.ts';
import { loadModel } from '../model/artifact.ts';
import type { ModelDocument } from '../model/document.ts';
import type { Ports } from '../ports.ts';
import { createSampleBudget, type Inference, withSample } from '../prediction/inference.ts';
import { storedName } from '../sample/content.ts';
import { taskOf } from '../task/task.ts';

/** Loads the artifact by its digest and scores samples of which training kept the answers; null when all agree. */
export async function smokeTest(
  ports: Pick<Ports, 'blobs' | 'documents'> & Inference,
  project: string,
  model: ModelDocument,
): Promise<string | null> {
  const kind = taskOf(model);
  const samples = { blobs: ports.blobs, budget: ports.sampleBytes ?? createSampleBudget() };
  const images = await pMap(
    model.smoke,
    ({ md5 }) =>
      withSample(samples, { name: storedName(project, md5) }, (bytes) =>
        ports.toTensor(bytes, model.image).catch((error: unknown) => {
          // a sample that cannot be decoded says nothing about the model: it is tested on the others
          if (error instanceof RetryLater) throw error;
          return undefined;
        }),
      ),
    { concurrency: 4 },
  );
  const kept = model.smoke.flatMap((expected, i) => {
    const tensor = images[i];
    return tensor === undefined ? [] : [{ expected, tensor }];
  });
  const blank = new Float32Array(model.image.width * model.image.height * model.image.channels);
  const tensors = kept.length === 0 ? [blank] : kept.map((k) => k.tensor);
  // read before it is tried: a store that does not answer now says nothing about the model
  const bytes = await loadModel(ports.blobs, project, model.digest);
  try {
    const outputs = await ports.infer(model.digest, () => Promise.resolve(bytes), tensors, model.image);
    for (const [i, { expected }] of kept.entries()) {
      const departs = kind.departs(expected, { outputs: outputs[i] ?? {}, classes: model.classes });
      if (departs !== undefined) return `sample ${expected.md5} ${departs}`;
    }
    return null;
  } catch (error) {
    if (error instanceof RetryLater) throw error;
    return `the model cannot be served: ${error instanceof Error ? error.message.slice(0, 300) : 'unknown error'}`;
  }
}
