/** Detection on real services: uploads, boxes by review and from files, trainings that bring real detectors, gate, canary, rollback, scores with boxes. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as z from 'zod';
import { createKey } from '../../local/first-key.ts';
import type { Platform } from '../../local/platform.ts';
import { sampleView, uploadView, versionView } from '../../shared/api/views/dataset.ts';
import { diffView } from '../../shared/api/views/diff.ts';
import { endpointView, predictionView, scoreView } from '../../shared/api/views/endpoint.ts';
import { modelView } from '../../shared/api/views/model.ts';
import { page } from '../../shared/api/views/page.ts';
import { trainingView } from '../../shared/api/views/training.ts';
import { cell, type Painted } from '../shared/task/detection/tiny-detector.ts';
import { startApp } from '../platform.ts';
import { type Api, createApi } from './client.ts';

const project = '/projects/scenes';
/** a picture has as many pixels on a side as the model's input has, twice: its boxes are twice as large */
const scale = 2;
const pixels = cell * scale;
const colours = { red: '#ff0000', green: '#00ff00' } as const;
const wait = { timeout: 120_000, interval: 300 };

let folder: string;
let platform: Platform;
let api: Api;
let key: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'darkroom-boxes-'));
  const program = path.resolve(import.meta.dirname, '../fixtures/box-trainer.ts');
  platform = await startApp({ dataDir: folder, jobCommand: [process.execPath, program] });
  key = await createKey(platform.settings, 'test');
  api = createApi(platform.addresses.http ?? '', key);
}, 180_000);
afterAll(async () => {
  await platform?.close();
  await rm(folder, { recursive: true, force: true });
});

const boxOf = ({ colour, column, row }: Painted) => ({
  ...{ class: colour, x: column * pixels, y: row * pixels, width: pixels, height: pixels },
});

/** A picture of 128 x 96 pixels, on a ground that differs from every other's. */
function draw(scene: readonly Painted[], number: number): Promise<Buffer> {
  const background = { r: 0, g: 0, b: 40 + number };
  const squares = scene.map(({ colour, column, row }) => ({
    input: { create: { width: pixels, height: pixels, channels: 3 as const, background: colours[colour] } },
    ...{ left: column * pixels, top: row * pixels },
  }));
  return sharp({ create: { width: 4 * pixels, height: 3 * pixels, channels: 3, background } })
    .composite(squares)
    .png()
    .toBuffer();
}

/** Every tenth scene is empty, the others have a red square and every second a green one. */
function sceneOf(number: number): Painted[] {
  if (number % 10 === 9) return [];
  const red: Painted = { colour: 'red', column: number % 4, row: number % 3 };
  return number % 2 === 0 ? [red] : [red, { colour: 'green', column: (number + 1) % 4, row: (number + 1) % 3 }];
}

const boxesIn = (number: number) => sceneOf(number).map(boxOf);
const picture = (number: number) => ({
  ...{ name: `${number}.png`, contentType: 'image/png' },
  bytes: () => draw(sceneOf(number), number),
});
const sidecar = (number: number) => ({
  ...{ name: `${number}.png.json`, contentType: 'application/json' },
  bytes: () => Promise.resolve(Buffer.from(JSON.stringify({ boxes: boxesIn(number) }))),
});

async function upload(given: readonly ReturnType<typeof picture>[]): Promise<void> {
  const files = given.map(({ name, contentType }) => ({ name, contentType }));
  const answer = await api.call('POST', `${project}/upload-urls`, { files });
  const { value } = z
    .object({ value: z.array(z.object({ url: z.string(), headers: z.record(z.string(), z.string()) })) })
    .parse(answer.body);
  for (const [i, { url, headers }] of value.entries()) {
    const body = new Uint8Array((await given[i]?.bytes()) ?? []);
    const put = await fetch(url, { method: 'PUT', headers, body });
    expect(put.status).toBe(201);
  }
}

/** Annotates what waits for review, as a person does who looks at each picture. */
async function annotate(count: number): Promise<void> {
  const waiting = () => api.read(page(sampleView), `${project}/samples?unlabelled=true&limit=1000`);
  await expect.poll(async () => (await waiting()).value.length, wait).toBe(count);
  for (const { id, origin } of (await waiting()).value) {
    const { blob } = await api.read(uploadView, `${project}/uploads/${origin}`);
    const boxes = boxesIn(Number.parseInt(path.basename(blob), 10));
    expect((await api.call('PUT', `${project}/samples/${id}/annotation`, { boxes })).status).toBe(200);
  }
}

const scene: Painted[] = [
  { colour: 'red', column: 1, row: 2 },
  { colour: 'green', column: 3, row: 0 },
];
const scored = () => draw(scene, 99);
async function score() {
  const picture = await scored();
  const answer = await api.call('POST', `${project}/score`, picture, { 'content-type': 'image/png' });
  expect(answer.status).toBe(200);
  return scoreView.parse(answer.body);
}
/** The scene with what was found drawn on it; the status and the error's target where it is refused. */
async function render(query: string) {
  const address = `${platform.addresses.http}/api/v1${project}/score?${query}`;
  const headers = { 'x-api-key': key, 'content-type': 'image/png' };
  const answer = await fetch(address, { method: 'POST', headers, body: new Uint8Array(await scored()) });
  return { answer, bytes: Buffer.from(await answer.arrayBuffer()) };
}
const endpoint = () => api.read(endpointView, `${project}/endpoint`);
const numbersFrom = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

test(
  'boxes by review and from files beside the pictures become detectors that are judged, tried, live, and rolled back',
  { timeout: 400_000 },
  async () => {
    const settings = {
      task: 'detection',
      classes: ['red', 'green'],
      image: { width: 64, height: 64, channels: 3 },
      // green squares are seen and not answered: their score is below the model's threshold
      trainer: { name: 'tiny', parameters: { green: 0.4 } },
      commit: { quietSeconds: 2 },
      retrain: { minNewSamples: 20 },
      split: { validationPercent: 20, testPercent: 40 },
    };
    expect((await api.call('PUT', project, settings)).status).toBe(201);
    await upload(numbersFrom(0, 30).map(picture));
    await annotate(30);
    await expect.poll(async () => (await endpoint()).production?.model, wait).toBe(1);
    const first = await api.read(modelView, `${project}/models/1`);
    expect(first.metrics).toMatchObject({ ap50: 1, classes: { red: { ap50: 1 }, green: { ap50: 1, found: 0 } } });
    expect(first.verdict.reasons.join()).toContain('passed: AP50 1.000, minimum 0.5');
    expect(await score()).toMatchObject({
      boxes: [{ class: 'red', score: expect.closeTo(1, 1), x: 32, y: 64, width: 32, height: 32 }],
      model: { version: 1 },
    });

    const deploy = { canary: { percent: 50, minRequests: 2, maxErrorRate: 0.2, durationSeconds: 1 } };
    expect((await api.call('PATCH', project, { trainer: { parameters: { green: 1 } }, deploy })).status).toBe(200);
    // files beside the pictures: of ten they come first, of ten last
    await upload([...numbersFrom(30, 40).map(sidecar), ...numbersFrom(30, 50).map(picture)]);
    await upload(numbersFrom(40, 50).map(sidecar));
    await expect.poll(async () => (await endpoint()).canary?.model, wait).toBe(2);
    const { production } = await endpoint();
    expect(production?.model).toBe(1);
    await expect.poll(async () => (await score(), (await endpoint()).production?.model), wait).toBe(2);
    const better = await api.read(modelView, `${project}/models/2`);
    expect(better.verdict).toMatchObject({ champion: { model: 1, onlyChampionFound: 0, false: 0 } });
    await expect.poll(async () => (await score()).model.version, wait).toBe(2);
    const both = await score();
    const byClass = 'boxes' in both ? both.boxes.map((box) => [box.class, box] as const) : [];
    expect(Object.fromEntries(byClass)).toMatchObject({
      red: { x: 32, y: 64 },
      green: { x: 96, y: 0, width: 32, height: 32 },
    });
    const traced = await api.read(predictionView, `${project}/predictions/${both.predictionId}`);
    // an instance knows of the trial's end a second later
    expect(traced).toMatchObject({
      boxes: [{}, {}],
      role: expect.stringMatching(/^(production|canary)$/),
      error: null,
    });
    expect(traced.lineage).toMatchObject({ model: { version: 2 }, training: { state: 'registered' } });
    expect(traced.lineage.samples[0]?.annotation).toHaveProperty('boxes');

    const { answer: rendered, bytes: png } = await render('render=png&model=2');
    expect([rendered.status, rendered.headers.get('content-type')]).toEqual([200, 'image/png']);
    const drawn = await sharp(png).raw().toBuffer({ resolveWithObject: true });
    expect(drawn.info).toMatchObject({ width: 480, height: 360, channels: 3 });
    // the upper left corner of the red square's box, which is 3.75 times as large there
    const corner = (64 * 3.75 * 480 + 32 * 3.75) * 3;
    expect([...drawn.data.subarray(corner, corner + 3)]).not.toEqual([255, 0, 0]);
    const shown = `${project}/predictions/${rendered.headers.get('prediction-id')}`;
    expect(await api.read(predictionView, shown)).toMatchObject({ boxes: [{}, {}] });
    const { answer: refused, bytes: why } = await render('render=gif');
    expect(refused.status).toBe(400);
    expect(why.toString()).toContain('"target":"render"');

    // boxes that are off by more than half of what they show
    const asked = await api.call('POST', `${project}/trainings`, { trainer: { parameters: { shift: 9 } } });
    const { id } = z.looseObject({ id: z.string() }).parse(asked.body);
    const training = () => api.read(trainingView, `${project}/trainings/${id}`);
    await expect.poll(async () => (await training()).state, wait).toBe('rejected');
    expect((await training()).verdict?.reasons.join()).toContain('failed: AP50 0.000, minimum 0.5');

    const { etag } = await api.call('GET', `${project}/endpoint`);
    expect((await api.call('POST', `${project}/endpoint/rollback`, {}, { 'if-match': etag })).status).toBe(200);
    await expect.poll(async () => (await score()).model.version, wait).toBe(1);

    const head = async () => (await api.read(versionView, `${project}/versions/head`)).number;
    const before = await head();
    const samples = (await api.read(page(sampleView), `${project}/samples`)).value;
    const boxesOf = (one: (typeof samples)[number] | undefined) =>
      (one?.annotation?.['boxes'] ?? []) as ReturnType<typeof boxOf>[];
    const sample = samples.find((one) => boxesOf(one).length > 0);
    const boxes = boxesOf(sample).map((box) => ({ ...box, x: box.x + 0.5 }));
    const moved = await api.call('PUT', `${project}/samples/${sample?.id}/annotation`, { boxes });
    expect(moved.status).toBe(200);
    await expect.poll(head, wait).toBe(before + 1);
    const changes = await api.read(diffView, `${project}/versions/${before}/diff/head`);
    expect(changes.counts).toEqual({ added: 0, removed: 0, relabelled: 1 });
    const [relabelled] = changes.relabelled;
    expect(relabelled?.boxes).toMatchObject({ added: [], removed: [], relabelled: [] });
    expect(relabelled?.boxes?.moved.map(({ after }) => after)).toEqual(relabelled?.annotation['boxes']);

    const version = await api.read(versionView, `${project}/versions/1`);
    expect(version.byClass['red']).toBeGreaterThan(version.byClass['green'] ?? 0);
    expect(version.samples).toBeGreaterThan(version.byClass['red'] ?? 0);
    expect((await api.call('GET', '/dead-letters')).body).toEqual({ value: [] });
  },
);
