import { expect, test } from 'vitest';
import { type NeededOperation, operationsPerImage, operationsPerScore } from '../../infra/costs/usage.ts';
import { commitWhenQuiet } from '../../shared/dataset/commit-when-quiet.ts';
import { type BlobCreatedEvent, commitDue } from '../../shared/delivery/message.ts';
import { newEndpoint } from '../../shared/endpoint/endpoint.ts';
import type { ModelDocument } from '../../shared/model/document.ts';
import { modelId } from '../../shared/model/register.ts';
import type { Documents } from '../../shared/ports.ts';
import { createScorer } from '../../shared/prediction/score.ts';
import { projectSettings } from '../../shared/project/settings.ts';
import { ingest } from '../../shared/upload/ingest.ts';
import { acceptedImage } from '../shared/image/accepted.ts';
import { answerOf } from '../shared/task/classification/answers.ts';
import { createFakes, type Fakes } from '../simulation/fakes.ts';

type Counts = Record<string, number>;

/** The same documents, and how often each operation was done on each container; a batch counts its documents. */
function counting(documents: Documents): { documents: Documents; counts: Counts } {
  const counts: Counts = {};
  const methods = Object.entries(documents).map(([method, original]: [string, (...given: unknown[]) => unknown]) => [
    method,
    (...given: unknown[]) => {
      const times = method === 'batch' ? (given[2] as unknown[]).length : 1;
      const name = `${method} ${String(given[0])}`;
      counts[name] = (counts[name] ?? 0) + times;
      return original(...given);
    },
  ]);
  return { documents: Object.fromEntries(methods) as Documents, counts };
}

/** What one more makes the code do: what `many` did beyond `few`, for each of those more. */
const perOne = (few: Counts, many: Counts, more: number): Counts =>
  Object.fromEntries(
    Object.entries(many)
      .map(([name, times]): [string, number] => [name, (times - (few[name] ?? 0)) / more])
      .filter(([, times]) => times > 0),
  );

const declared = (operations: readonly NeededOperation[]): Counts =>
  Object.fromEntries(operations.map(({ operation, container }) => [`${operation} ${container}`, 1]));

function withProject(world: Fakes): void {
  const at = world.ports.clock.now().toISOString();
  const settings = projectSettings.parse({});
  world.put('projects', { id: 'digits', pk: 'projects', settings, createdAt: at, updatedAt: at });
}

/** Uploads so many pictures and commits them. */
async function uploaded(pictures: number): Promise<Counts> {
  const world = createFakes();
  withProject(world);
  const { documents, counts } = counting(world.ports.documents);
  const ports = { ...world.ports, documents, inspect: (bytes: Buffer) => Promise.resolve(acceptedImage(bytes)) };
  for (let i = 0; i < pictures; i++) {
    const blob = `digits/${i % 10}/${i}.png`;
    await world.ports.blobs.create('uploads', blob, `image ${i}`);
    const written = await world.ports.blobs.get('uploads', blob, { maxBytes: 100 });
    const event: BlobCreatedEvent = {
      ...{ specversion: '1.0', id: `e${i}`, source: '/test', type: 'Microsoft.Storage.BlobCreated' },
      ...{ subject: `/blobServices/default/containers/uploads/blobs/${blob}` },
      data: { url: blob, eTag: typeof written === 'object' ? written.etag : '' },
    };
    expect(await ingest(ports, event)).toMatchObject({ outcome: 'accepted' });
  }
  world.pass(100);
  const due = { queue: 'dataset-commits', until: Number.POSITIVE_INFINITY } as const;
  for (let next = world.take(due); next !== undefined; next = world.take(due))
    await commitWhenQuiet(ports, commitDue.parse(next.message));
  expect(world.all('heads')).toMatchObject([{ head: { samples: pictures } }]);
  return counts;
}

test('an accepted picture makes the document operations that the page of costs names, and no other', async () => {
  expect(perOne(await uploaded(10), await uploaded(60), 50)).toEqual(declared(operationsPerImage));
});

test('a score makes the document operations that the page of costs names, and no other', async () => {
  const world = createFakes();
  withProject(world);
  const target = { model: 1, digest: 'd', deployment: 'o' };
  world.put('endpoints', { id: 'endpoint', pk: 'digits', ...newEndpoint, production: target });
  const image = { width: 8, height: 8, channels: 1 };
  const model = {
    number: 1,
    digest: 'd',
    task: 'classification',
    classes: ['a', 'b'],
    image,
    version: { id: 'v', number: 1 },
  };
  world.put('models', { id: modelId(1), pk: 'digits', ...model } as unknown as ModelDocument);
  await world.ports.blobs.create('models', 'digits/d.onnx', 'model');
  const { documents, counts } = counting(world.ports.documents);
  const infer = () => Promise.resolve([answerOf([0.25, 0.75])]);
  const score = createScorer({
    ...world.ports,
    documents,
    draw: () => Promise.reject(new Error('nothing is drawn here')),
    preprocess: (bytes) => Promise.resolve({ ...acceptedImage(bytes), tensor: new Float32Array(64) }),
    inferServed: infer,
    inferPinned: infer,
  });
  const scored = async (pictures: number): Promise<Counts> => {
    for (let i = 0; i < pictures; i++) await score('digits', { bytes: Buffer.from([i]), contentType: 'image/png' }, {});
    return { ...counts };
  };
  const before = await scored(10);
  expect(perOne(before, await scored(50), 50)).toEqual(declared(operationsPerScore));
});
