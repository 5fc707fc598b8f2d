/** The composition root: settings -> clients -> registrations.ts. */
import { app } from '@azure/functions';
import { connect } from '../shared/azure/connect.ts';
import { createTelemetry } from '../shared/azure/telemetry.ts';
import { readConfig } from '../shared/config.ts';
import { createImageReader } from '../shared/image/decode.ts';
import { toTensor } from '../shared/image/tensor.ts';
import { createModelCache } from '../shared/onnx/session.ts';
import { checkModel } from '../shared/onnx/probe.ts';
import { registerFunctions } from './registrations.ts';

const config = readConfig(process.env);
const clients = connect(config);
const telemetry = await createTelemetry(config, () => clients.clock.now());
const images = createImageReader();
const models = createModelCache({ maxModels: 4, threads: 1 });

app.setup({ enableHttpStream: true });
app.hook.appTerminate(() => telemetry.flush());

registerFunctions(app, {
  ...clients,
  telemetry,
  inspect: (bytes, declaredType) => images.inspect(bytes, declaredType),
  toTensor,
  infer: (...call) => models.score(...call),
  validate: checkModel,
});
