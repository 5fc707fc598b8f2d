/** From a training to a score: what people and apps ask of models. */
import { expect, test } from 'vitest';
import * as z from 'zod';
import { p } from '../digits.ts';
import type { Started } from './started.ts';

/** Adds the tests, which go on where those before them ended. */
export function askForModels(started: Started): void {
  test('trainings: start, repeat with the same key, follow, cancel', async () => {
    const headers = { 'idempotency-key': 'ask-1' };
    const ask = (body: unknown) => started.api.send('trainings-post', { params: { project: p }, body, headers });
    const first = await ask({ seed: 5, reason: 'another seed' });
    expect(first.status).toBe(202);
    expect(first.headers.get('retry-after')).toBeTruthy();
    const { id } = z.looseObject({ id: z.string() }).parse(first.json);
    expect(z.looseObject({ id: z.string() }).parse((await ask({ seed: 5, reason: 'another seed' })).json).id).toBe(id);
    const other = await ask({ seed: 6 });
    expect([other.status, other.headers.get('x-ms-error-code')]).toEqual([409, 'idempotency-key-reused']);
    const states = ['registered', 'rejected'];
    const state = async () =>
      String(
        (await started.api.send('trainings-get', { params: { project: p, training: id } })).json?.['state' as never],
      );
    await expect.poll(state, { timeout: 60_000, interval: 300 }).toBeOneOf(states);
    expect((await started.listOf('trainings-list', { params: { project: p } })).map((one) => one['id'])).toContain(id);
    expect((await started.api.send('trainings-cancel', { params: { project: p, training: id } })).status).toBe(409);
    const next = await started.api.send('trainings-post', { params: { project: p }, body: { seed: 9 } });
    const cancelled = await started.api.send('trainings-cancel', {
      params: { project: p, training: z.looseObject({ id: z.string() }).parse(next.json).id },
    });
    expect(cancelled.status).toBe(202);
  });

  test('models: registry, artifact, lineage, the manual gate', async () => {
    await expect.poll(started.champion, { timeout: 30_000, interval: 300 }).toBe(2);
    expect((await started.listOf('models-list', { params: { project: p } })).map(({ version }) => version)).toEqual([
      2, 1,
    ]);
    const model = await started.api.send('models-get', { params: { project: p, number: '1' } });
    const artifact = await started.api.send('models-artifact', { params: { project: p, number: '1' } });
    expect(artifact.bytes.length).toBeGreaterThan(1000);
    const archive = await started.api.send('models-export', { params: { project: p, number: '1' } });
    expect(archive.bytes.subarray(0, 2).toString()).toBe('PK');
    const brought = await started.api.send('models-post', { params: { project: p }, body: artifact.bytes });
    expect(brought.json).toMatchObject({ sizeBytes: artifact.bytes.length });
    const lineage = await started.api.send('models-lineage', { params: { project: p, number: '1' } });
    expect(lineage.json).toMatchObject({ datasetVersion: { number: 1 }, training: { seed: 1 } });
    expect(lineage.json).toMatchObject({
      model: { lineage: { code: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) } },
    });
    expect(lineage.json).toMatchObject({
      samples: expect.arrayContaining([expect.objectContaining({ labelSource: 'path' })]),
    });
    const decide = (operationId: string, ifMatch?: string) =>
      started.api.send(operationId, {
        params: { project: p, number: '1' },
        headers: ifMatch === undefined ? {} : { 'if-match': ifMatch },
      });
    expect((await decide('models-reject')).status).toBe(428);
    const rejected = await decide('models-reject', model.headers.get('etag') ?? '');
    expect(rejected.json).toMatchObject({ state: 'rejected' });
    const refused = await started.api.send('endpoint-deploy', { params: { project: p }, body: { model: 1 } });
    expect([refused.status, refused.headers.get('x-ms-error-code')]).toEqual([409, 'model-not-approved']);
    const approved = await decide('models-approve', rejected.headers.get('etag') ?? '');
    expect(approved.json).toMatchObject({ state: 'approved' });
  });

  test('endpoint: approving deploys, rolling back returns, deploying needs a current view', async () => {
    await expect.poll(started.champion, { timeout: 30_000, interval: 300 }).toBe(1);
    const seen = await started.api.send('endpoint-get', { params: { project: p } });
    const etag = seen.headers.get('etag') ?? '';
    expect((await started.api.send('endpoint-rollback', { params: { project: p }, body: {} })).status).toBe(428);
    const blind = await started.api.send('endpoint-rollback', {
      params: { project: p },
      body: {},
      headers: { 'if-match': '*' },
    });
    expect([blind.status, blind.headers.get('x-ms-error-code')]).toEqual([400, 'idempotency-key-required']);
    const headers = { 'if-match': etag, 'idempotency-key': 'back' };
    const back = await started.api.send('endpoint-rollback', { params: { project: p }, body: {}, headers });
    expect(back.json).toMatchObject({ production: { model: 2 } });
    const again = await started.api.send('endpoint-rollback', { params: { project: p }, body: {}, headers });
    expect(again.json).toMatchObject({ production: { model: 2 } });
    const deploy = (ifMatch: string) =>
      started.api.send('endpoint-deploy', {
        params: { project: p },
        body: { model: 1 },
        headers: { 'if-match': ifMatch },
      });
    expect((await deploy(etag)).status).toBe(412);
    expect((await deploy(again.headers.get('etag') ?? '')).status).toBe(202);
    await expect.poll(started.champion, { timeout: 30_000, interval: 300 }).toBe(1);
  });

  test('batches: begin, follow, list, cancel', async () => {
    const params = { project: p };
    const begun = await started.api.send('batches-post', { params, body: { version: 1, split: 'test' } });
    expect(begun.headers.get('operation-location')).toMatch(/\/batches\/b\w+$/);
    const { id } = z.looseObject({ id: z.string() }).parse(begun.json);
    const state = async () =>
      (await started.api.send('batches-get', { params: { ...params, batch: id } })).json?.['state' as never];
    await expect.poll(state, { timeout: 60_000, interval: 300 }).toBe('succeeded');
    expect((await started.listOf('batches-list', { params })).map((one) => one['id'])).toEqual([id]);
    const cancelled = await started.api.send('batches-cancel', { params: { ...params, batch: id } });
    expect(cancelled.json).toMatchObject({ state: 'succeeded', results: { csv: expect.stringContaining('http') } });
  });

  test('scores, and each leads back to its scans', async () => {
    const headers = { 'content-type': 'image/png' };
    const pinned = await started.api.send('score-post', {
      params: { project: p },
      query: { model: '2' },
      body: started.someImage,
      headers,
    });
    expect(pinned.json).toMatchObject({ model: { version: 2 }, datasetVersion: { number: 2 } });
    const { predictionId: id } = z.looseObject({ predictionId: z.string() }).parse(pinned.json);
    const traced = await started.api.send('predictions-get', { params: { project: p, prediction: id } });
    expect(traced.headers.get('etag')).toBeTruthy();
    expect(traced.json).toMatchObject({ lineage: { datasetVersion: { number: 2 }, training: { seed: 5 } } });
    const render = async (format: string) => {
      const asked = { params: { project: p }, query: { render: format }, body: started.someImage, headers };
      const { status, json } = await started.api.send('score-post', asked);
      return { status, json };
    };
    const nothingToDraw = { status: 400, json: { error: { code: 'invalid-query', target: 'render' } } };
    expect(await render('png')).toMatchObject(nothingToDraw);
    expect(await render('gif')).toMatchObject(nothingToDraw);
    const text = Buffer.from('no image');
    expect((await started.api.send('score-post', { params: { project: p }, body: text, headers })).status).toBe(415);
    expect(
      (
        await started.api.send('score-post', {
          params: { project: p },
          body: started.someImage.subarray(0, 90),
          headers,
        })
      ).status,
    ).toBe(400);
    expect(
      (await started.api.send('score-post', { params: { project: 'nowhere' }, body: started.someImage, headers }))
        .status,
    ).toBe(404);
  });
}
