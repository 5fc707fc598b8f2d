/** The map of the backend: settings -> clients -> every registration. */
import { app } from '@azure/functions';
import { connect } from '../shared/azure/connect.ts';
import { createTelemetry } from '../shared/azure/telemetry.ts';
import { readConfig } from '../shared/config.ts';
import { createImageReader } from '../shared/image/decode.ts';
import { toTensor } from '../shared/image/tensor.ts';
import { createModelCache } from '../shared/onnx/session.ts';
import { validateModel } from '../shared/onnx/validate.ts';
import { queueNames } from '../shared/resources.ts';
import { createScorer } from '../shared/serving/score.ts';
import { commitStaged } from './commit.ts';
import { recordDeadLetter } from './dead-letters.ts';
import { deploy } from './deploy.ts';
import { evaluate } from './evaluate.ts';
import { registerHttp } from './http/register.ts';
import { ingest } from './ingest.ts';
import { onMessage } from './stage.ts';
import { sweep } from './sweep.ts';
import { train } from './train.ts';
import { traceOfReport, trainingEvent } from './training-events.ts';

const connection = 'SERVICEBUS';

const config = readConfig(process.env);
const clients = connect(config);
const telemetry = await createTelemetry(config, () => clients.clock.now());
const images = createImageReader();
const models = createModelCache({ maxModels: 4, threads: 1 });
const ports = {
  ...clients,
  telemetry,
  inspect: (bytes: Buffer, declaredType: string | undefined) => images.inspect(bytes, declaredType),
  toTensor,
  infer: (...call: Parameters<typeof models.score>) => models.score(...call),
  validate: async (bytes: Buffer, spec: Parameters<typeof validateModel>[1]) => validateModel(bytes, spec),
};

app.setup({ enableHttpStream: true });
app.hook.appTerminate(() => telemetry.flush());

app.serviceBusQueue('ingest', {
  connection,
  queueName: 'blob-created',
  handler: onMessage(ports, 'blob-created', 'ingest', (event) => ingest(ports, event)),
});
app.serviceBusQueue('commit', {
  connection,
  queueName: 'dataset-commits',
  handler: onMessage(ports, 'dataset-commits', 'commit', (message) => commitStaged(ports, message)),
});
app.serviceBusQueue('train', {
  connection,
  queueName: 'training-requests',
  handler: onMessage(ports, 'training-requests', 'train', (message) => train(ports, message)),
});
app.serviceBusQueue('training-event', {
  connection,
  queueName: 'training-events',
  handler: onMessage(
    ports,
    'training-events',
    'training-event',
    (event) => trainingEvent(ports, event),
    (event) => traceOfReport(ports, event),
  ),
});
app.serviceBusQueue('evaluate', {
  connection,
  queueName: 'evaluations',
  handler: onMessage(ports, 'evaluations', 'evaluate', (message) => evaluate(ports, message)),
});
app.serviceBusQueue('deploy', {
  connection,
  queueName: 'deployments',
  handler: onMessage(ports, 'deployments', 'deploy', (message) => deploy(ports, message)),
});

for (const queue of queueNames) {
  app.serviceBusQueue(`dead-letter-${queue}`, {
    connection,
    queueName: `${queue}/$deadletterqueue`,
    handler: async (body, context) => {
      const metadata = context.triggerMetadata ?? {};
      const text = (value: unknown, otherwise: string): string => (typeof value === 'string' ? value : otherwise);
      const startedAt = Date.now();
      const { project, outcome } = await recordDeadLetter(ports, queue, {
        body,
        reason: text(metadata['deadLetterReason'], 'unknown'),
        detail: text(metadata['deadLetterErrorDescription'], 'The message was delivered too often without success.'),
      });
      const durationMs = Date.now() - startedAt;
      ports.telemetry.stage({ stage: 'dead-letter', project: project ?? '', outcome, durationMs, ids: { queue } });
    },
  });
}

app.timer('sweep', {
  schedule: '%SWEEP_SCHEDULE%',
  handler: async (_timer, context) => {
    const startedAt = Date.now();
    const { projects, problems } = await ports.telemetry.span('sweep', undefined, () => sweep(ports));
    const outcome = problems.length === 0 ? 'healed' : 'problems';
    const ids = { projects: String(projects), invocation: context.invocationId };
    ports.telemetry.stage({ stage: 'sweep', project: '', outcome, durationMs: Date.now() - startedAt, ids });
  },
});

registerHttp(app, { ...ports, score: createScorer(ports) });
