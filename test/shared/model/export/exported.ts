/** Exports of one small model of each kind, made by real onnxruntime. */
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { unzipSync } from 'fflate';
import { toTensor } from '../../../../shared/image/tensor.ts';
import { modelBlob } from '../../../../shared/model/artifact.ts';
import type { ModelDocument } from '../../../../shared/model/document.ts';
import { exportModel } from '../../../../shared/model/export/export.ts';
import { encodeModel, type OnnxModel } from '../../../../shared/onnx/encode.ts';
import { createModelCache } from '../../../../shared/onnx/session.ts';
import { createModelWorkers } from '../../../../shared/onnx/workers.ts';
import { createFakes } from '../../../simulation/fakes.ts';
import { tinyModel } from '../../onnx/tiny-model.ts';

/** Three places, of which the first two overlap; how sure it is follows from the mean of the picture. */
function tinyDetector(side: number, classes: number): OnnxModel {
  const boxes = [
    [2, 3, 20, 25],
    [3, 4, 21, 26],
    [30, 8, 50, 18],
  ];
  const places = boxes.length;
  const sure = Float32Array.from({ length: places * classes }, (_, i) => 0.5 - i / 10);
  return {
    name: 'detector',
    nodes: [
      {
        ...{ op: 'ReduceMean', inputs: ['input'], outputs: ['mean'] },
        attributes: { axes: { ints: [1, 2, 3] }, keepdims: { int: 1 } },
      },
      { op: 'Flatten', inputs: ['mean'], outputs: ['flat'], attributes: { axis: { int: 1 } } },
      { op: 'Gemm', inputs: ['flat', 'nothing', 'places'], outputs: ['coordinates'] },
      { op: 'Reshape', inputs: ['coordinates', 'boxes-shape'], outputs: ['boxes'] },
      { op: 'Gemm', inputs: ['flat', 'slope', 'sure'], outputs: ['logits'] },
      { op: 'Sigmoid', inputs: ['logits'], outputs: ['sigmoid'] },
      { op: 'Reshape', inputs: ['sigmoid', 'scores-shape'], outputs: ['scores'] },
    ],
    inputs: [{ name: 'input', shape: ['N', 3, side, side] }],
    outputs: [
      { name: 'boxes', shape: ['N', places, 4] },
      { name: 'scores', shape: ['N', places, classes] },
    ],
    initialisers: [
      { name: 'nothing', dims: [1, places * 4], data: new Float32Array(places * 4) },
      { name: 'places', dims: [places * 4], data: Float32Array.from(boxes.flat()) },
      { name: 'boxes-shape', dims: [3], data: BigInt64Array.from([-1n, BigInt(places), 4n]) },
      { name: 'slope', dims: [1, places * classes], data: new Float32Array(places * classes).fill(0.001) },
      { name: 'sure', dims: [places * classes], data: sure },
      { name: 'scores-shape', dims: [3], data: BigInt64Array.from([-1n, BigInt(places), BigInt(classes)]) },
    ],
    metadata: {},
  };
}

const classes = ['cat', 'dog'];
const given = {
  classification: {
    onnx: tinyModel(0, { channels: 1, height: 16, width: 20, classes: classes.length }),
    image: { width: 20, height: 16, channels: 1 },
    metadata: {},
  },
  detection: {
    onnx: tinyDetector(64, classes.length),
    image: { width: 64, height: 64, channels: 3, fit: 'letterbox' },
    metadata: { nmsIou: 0.6, scoreThreshold: 0.3 },
  },
};

export type Task = keyof typeof given;
export const tasks = Object.keys(given) as Task[];

/** The bytes of the archive of a model of that kind. */
export async function exported(task: Task): Promise<Buffer> {
  const workers = createModelWorkers(1);
  const models = createModelCache(workers, { owner: 'test', maxBytes: 1e9, keepsRunMemory: true });
  const world = createFakes();
  const { onnx, image, metadata } = given[task];
  const bytes = Buffer.from(encodeModel(onnx));
  const digest = createHash('sha256').update(bytes).digest('hex');
  await world.ports.blobs.create('models', modelBlob('pets', digest), bytes);
  const model = {
    ...{ id: '00000003', pk: 'pets', number: 3, state: 'approved', digest, sizeBytes: bytes.length },
    ...{
      task,
      classes,
      image,
      metadata,
      run: 't1',
      version: { id: 'v1', number: 2 },
      createdAt: '2026-12-01T10:00:00.000Z',
    },
    lineage: { trainer: 'softmax', parameters: {}, seed: 1, code: null },
  } as unknown as ModelDocument;
  try {
    const ports = {
      blobs: world.ports.blobs,
      toTensor,
      inferPinned: (...call: Parameters<typeof models.run>) => models.run(...call),
    };
    const parts: Buffer[] = [];
    for await (const part of await exportModel(ports, model)) parts.push(part);
    return Buffer.concat(parts);
  } finally {
    await workers.close();
  }
}

/** Unpacks the archive of a model of that kind into a folder below `folder`, which it returns. */
export async function unpacked(folder: string, task: Task): Promise<string> {
  const into = path.join(folder, task);
  await mkdir(into, { recursive: true });
  for (const [name, bytes] of Object.entries(unzipSync(await exported(task))))
    await writeFile(path.join(into, name), bytes);
  return into;
}
