/** Assessing real pictures with a real model, held against all of them decoded and run at once. */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { applyEdits } from '../../../shared/dataset/edit.ts';
import { type SampleRecord, sampleKey } from '../../../shared/dataset/record.ts';
import { storedName } from '../../../shared/sample/content.ts';
import { treeStore } from '../../../shared/dataset/store.ts';
import { assessTestSplit, type EvaluatedModel } from '../../../shared/evaluation/shards.ts';
import { createImageReader } from '../../../shared/image/decode.ts';
import { toTensor } from '../../../shared/image/tensor.ts';
import { encodeModel } from '../../../shared/onnx/encode.ts';
import { createModelCache } from '../../../shared/onnx/session.ts';
import { createModelWorkers } from '../../../shared/onnx/workers.ts';
import { classification } from '../../../shared/task/classification/classification.ts';
import { best } from '../../../shared/task/classification/prediction.ts';
import { sample } from '../dataset/samples.ts';
import { picture } from '../image/craft.ts';
import { tinyModel } from '../onnx/tiny-model.ts';
import { createFakes } from '../../simulation/fakes.ts';

const classes = ['0', '1', '2'];
const name = 'pictures';

function modelOf(bias: number, image: EvaluatedModel['image']): EvaluatedModel {
  const bytes = Buffer.from(encodeModel(tinyModel(bias, { ...image, classes: classes.length })));
  const digest = createHash('sha256').update(bytes).digest('hex');
  return { digest, classes, image, load: () => Promise.resolve(bytes) };
}

/** Seventy pictures of three classes, all in the test split. */
async function version() {
  const { blobs } = createFakes().ports;
  const bytes = new Map<string, Buffer>();
  const records: SampleRecord[] = [];
  for (let n = 0; n < 70; n++) {
    const drawn = picture(20 + n, 90 - n);
    const image = await (n % 2 === 0 ? drawn.png() : drawn.withMetadata({ orientation: 6 }).jpeg()).toBuffer();
    const md5 = createHash('md5').update(image).digest('hex');
    records.push({ ...sample(n, String(n % 3)), md5, sizeBytes: image.length, split: 'test' });
    bytes.set(md5, image);
    await blobs.create('datasets', storedName(name, md5), image);
  }
  const edits = records.map((record) => ({ key: sampleKey(1, record.md5), record }));
  const { root } = await applyEdits(treeStore(blobs, name), null, edits, { task: 'classification' });
  return { blobs, bytes, root: root ?? '' };
}

const never = (): Promise<never> => Promise.reject(new Error('every picture can be read'));

test.each([
  ['the same', { width: 16, height: 12, channels: 3 as const }],
  ['another', { width: 8, height: 8, channels: 1 as const }],
])('gives the same answers, the champion wanting %s image', async (_what, image) => {
  const { blobs, bytes, root } = await version();
  const workers = createModelWorkers(1);
  const models = createModelCache(workers, { owner: 'judged', maxBytes: 64 * 1024 * 1024, keepsRunMemory: false });
  const reader = createImageReader();
  const infer = (...call: Parameters<typeof models.run>) => models.run(...call);
  const [candidate, champion] = [modelOf(0, { width: 16, height: 12, channels: 3 }), modelOf(40, image)];
  const ports = { blobs, infer, toTensor: (...call: Parameters<typeof toTensor>) => reader.toTensor(...call) };
  const split = { project: name, kind: classification, root, candidate, champion };
  await assessTestSplit(ports, { ...split, outOfTime: () => false, setAside: never });

  const [kept = ''] = await blobs.list('models', `${name}/evaluations/`, 2);
  const found = await blobs.get('models', kept, { maxBytes: 1e6 });
  const shard = JSON.parse(String(typeof found === 'object' ? found.body : '')) as { assessed: object[] };

  const all = async (model: EvaluatedModel): Promise<number[]> => {
    const tensors = await Promise.all([...bytes.values()].map((one) => toTensor(one, model.image)));
    const outputs = await infer(model.digest, model.load, tensors, classification.ends(model.classes, model.image));
    return outputs.map((one) => best(one['probabilities']?.data ?? new Float32Array()));
  };
  const [ofCandidate, ofChampion] = [await all(candidate), await all(champion)];
  const expected = [...bytes.keys()].map((_, n) => ({
    truth: n % 3,
    candidate: ofCandidate[n],
    champion: ofChampion[n],
  }));
  const sorted = (list: unknown[]): string[] => list.map((row) => JSON.stringify(row)).sort();
  expect(sorted(shard.assessed)).toEqual(sorted(expected));
  expect(new Set(ofCandidate).size).toBeGreaterThan(1);
  await models.release();
  await workers.close();
});
