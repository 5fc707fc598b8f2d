/** Scores at the route, with real pictures and a real model that divides by the sum of the pixels. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { keyDocument, newKey } from '../../../../shared/key/secret.ts';
import { api } from '../../../../functions/http/api/api.ts';
import { mount } from '../../../../functions/http/mount.ts';
import { newEndpoint } from '../../../../shared/endpoint/endpoint.ts';
import type { ModelDocument } from '../../../../shared/model/document.ts';
import { createImageReader } from '../../../../shared/image/decode.ts';
import { createModelCache } from '../../../../shared/onnx/session.ts';
import { createModelWorkers } from '../../../../shared/onnx/workers.ts';
import { modelBlob } from '../../../../shared/model/artifact.ts';
import { modelId } from '../../../../shared/model/register.ts';
import { createScorer, predictionPartition } from '../../../../shared/prediction/score.ts';
import { createFakes } from '../../../simulation/fakes.ts';

const plain = (background: string): Promise<Buffer> =>
  sharp({ create: { width: 32, height: 32, channels: 3, background } })
    .png()
    .toBuffer();

type Handler = (request: HttpRequest, context: InvocationContext) => Promise<HttpResponseInit>;

test('a picture that the model answers with not-a-number is 422 with the prediction that keeps it, and the next is scored', async () => {
  const world = createFakes();
  const onnx = readFileSync(path.join(import.meta.dirname, '../../../fixtures/models/nan-on-black.onnx'));
  const digest = createHash('sha256').update(onnx).digest('hex');
  await world.ports.blobs.create('models', modelBlob('colours', digest), onnx);
  const classes = ['red', 'green', 'blue', 'rest'];
  const shape = { task: 'classification', digest, classes, image: { width: 32, height: 32, channels: 3 } };
  world.put('projects', { id: 'colours', pk: 'projects', createdAt: '', updatedAt: '' } as never);
  world.put('models', {
    ...{ id: modelId(1), pk: 'colours', number: 1, version: { id: 'v', number: 1 } },
    ...shape,
  } as ModelDocument);
  const production = { model: 1, digest, deployment: 'd-1' };
  world.put('endpoints', { id: 'endpoint', pk: 'colours', ...newEndpoint, production });
  const key = newKey(Buffer.alloc(32, 1));
  world.put(
    'keys',
    keyDocument(key, { name: 'k', role: 'viewer', project: '*' }, world.ports.clock.now().toISOString()),
  );

  const images = createImageReader();
  const workers = createModelWorkers(1);
  const models = createModelCache(workers, { owner: 'served', maxBytes: 1e8, keepsRunMemory: true });
  const score = createScorer({
    ...world.ports,
    preprocess: (...call) => images.preprocess(...call),
    draw: (...call) => images.draw(...call),
    inferServed: (...call) => models.run(...call),
    inferPinned: (...call) => models.run(...call),
  });
  const handlers = new Map<string, Handler>();
  mount(
    { http: (name, { handler }) => void handlers.set(name, handler as unknown as Handler) },
    { ...world.ports, score },
    [api],
  );
  const post = async (png: Buffer): Promise<HttpResponseInit> => {
    const request = {
      url: 'http://a/api/v1/projects/colours/score',
      params: { p: 'colours' },
      headers: new Headers({ 'x-api-key': key, 'content-type': 'image/png', 'content-length': String(png.length) }),
      body: Readable.toWeb(Readable.from([png])),
    };
    return handlers.get('api-score-post')!(
      request as unknown as HttpRequest,
      { invocationId: 'i' } as InvocationContext,
    );
  };

  const refused = await post(await plain('#000000'));
  const problem = JSON.parse(refused.body as string) as { predictionId: string };
  expect(refused.status).toBe(422);
  expect(problem).toMatchObject({
    error: { code: 'no-answer' },
    detail: expect.stringContaining('no answer for this image'),
  });
  const kept = await world.read(
    'predictions',
    predictionPartition('colours', problem.predictionId),
    problem.predictionId,
  );
  expect(kept).toMatchObject({ deployment: 'd-1', prediction: null, error: expect.stringContaining('not-a-number') });
  const answered = await post(await plain('#ff0000'));
  expect({ status: answered.status, ...(JSON.parse(answered.body as string) as object) }).toMatchObject({
    status: 200,
    class: 'red',
  });
  await models.release();
  await workers.close();
});
