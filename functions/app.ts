/** The composition root: settings -> clients -> functions (triggers.ts). */
import { setFlagsFromString } from 'node:v8';
import { app } from '@azure/functions';
import { connect } from '../shared/azure/connect.ts';
import { createTelemetry } from '../shared/azure/telemetry.ts';
import { readConfig } from '../shared/config.ts';
import { createImageReader } from '../shared/image/decode.ts';
import { createModelCheck } from '../shared/onnx/model-check.ts';
import { createModelCache } from '../shared/onnx/session.ts';
import { createModelWorkers } from '../shared/onnx/workers.ts';
import { createSampleBudget } from '../shared/prediction/inference.ts';
import { addFunctions } from './triggers.ts';

// V8 lets the heap grow up to fourfold between two collections, and its nursery to 100 MB, since it does not know what else
// is on the instance; half as much again, and a nursery of 16 MB, keep this process below 500 MB while it ingests
setFlagsFromString('--heap-growing-percent=50');
setFlagsFromString('--semi-space-growth-factor=1');

const config = readConfig(process.env);
const clients = connect(config);
const telemetry = createTelemetry(config, () => clients.clock.now());
const images = createImageReader();
// three, so that neither who pins models nor a model that is evaluated takes the room of those that serve. An instance that
// serves and one that evaluates are two in Azure: 512 MB beside the process on the one, 256 MB and the check on the other
const megabytes = 1024 * 1024;
const workers = createModelWorkers();
const served = createModelCache(workers, { owner: 'served', maxBytes: 384 * megabytes, keepsRunMemory: true });
const pinned = createModelCache(workers, { owner: 'pinned', maxBytes: 128 * megabytes, keepsRunMemory: true });
const evaluated = createModelCache(workers, { owner: 'evaluated', maxBytes: 256 * megabytes, keepsRunMemory: false });
// beside it on an instance of 2 GB: the host, and this process with its 500 MB
const checkModel = createModelCheck({ timeoutMs: 30_000, maxMemoryBytes: 1024 * 1024 * 1024 });

app.setup({ enableHttpStream: true });
app.hook.appTerminate(async () => {
  await Promise.all([workers.close(), telemetry.flush()]);
});

addFunctions(app, {
  ...clients,
  telemetry,
  rateLimits: config.rateLimits,
  ...(config.publicUrl === undefined ? {} : { publicUrl: config.publicUrl }),
  trainers: config.trainers,
  inspect: (bytes, declaredType) => images.inspect(bytes, declaredType),
  preprocess: (...call) => images.preprocess(...call),
  draw: (...call) => images.draw(...call),
  toTensor: (...call) => images.toTensor(...call),
  sampleBytes: createSampleBudget(),
  infer: (...call) => evaluated.run(...call),
  inferServed: (...call) => served.run(...call),
  inferPinned: (...call) => pinned.run(...call),
  validate: checkModel,
});
