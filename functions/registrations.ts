/** The map of the backend: every queue, timer and route, and who handles it. */
import type { app } from '@azure/functions';
import { createBudget } from '../shared/budget.ts';
import { readMessage } from '../shared/delivery/message.ts';
import { queueNames } from '../shared/resources.ts';
import { createScorer, type ScorePorts } from '../shared/prediction/score.ts';
import { commitStaged } from '../shared/dataset/commit-when-quiet.ts';
import { recordDeadLetter } from '../shared/delivery/record-dead-letter.ts';
import { deploy } from '../shared/endpoint/deploy.ts';
import { evaluate, type EvaluatePorts } from '../shared/evaluation/evaluate.ts';
import { api } from './http/api/api.ts';
import { mount } from './http/mount.ts';
import type { HttpPorts } from './http/route.ts';
import { ingest, type IngestPorts } from '../shared/upload/ingest.ts';
import { onMessage } from './stage.ts';
import { sweep } from '../shared/project/sweep.ts';
import { train } from './train.ts';
import { traceOfReport, receiveReport } from '../shared/training/receive-report.ts';

const connection = 'SERVICEBUS';
/** Bytes of uploads that one process holds at a time, however many small ones that is; a larger one passes alone. */
const maxFileBytes = 24 * 1024 * 1024;

/** What the backend needs of the outside; app.ts hands in Azure, the simulator its fakes. */
export interface BackendPorts
  extends ScorePorts, EvaluatePorts, IngestPorts, Pick<HttpPorts, 'rateLimits' | 'publicUrl'> {}

/** Registers every function with the runtime. */
export function registerFunctions(target: Pick<typeof app, 'serviceBusQueue' | 'timer' | 'http'>, ports: BackendPorts) {
  const fileBytes = createBudget(maxFileBytes);
  target.serviceBusQueue('ingest', {
    connection,
    queueName: 'blob-created',
    handler: onMessage(ports, 'blob-created', 'ingest', async (event) => {
      const release = await fileBytes.take(event.data.contentLength ?? maxFileBytes);
      return ingest(ports, event).finally(release);
    }),
  });
  target.serviceBusQueue('commit', {
    connection,
    queueName: 'dataset-commits',
    handler: onMessage(ports, 'dataset-commits', 'commit', (message) => commitStaged(ports, message)),
  });
  target.serviceBusQueue('train', {
    connection,
    queueName: 'training-requests',
    handler: onMessage(ports, 'training-requests', 'train', (message) => train(ports, message)),
  });
  target.serviceBusQueue('training-event', {
    connection,
    queueName: 'training-events',
    handler: onMessage(
      ports,
      'training-events',
      'training-event',
      (event) => receiveReport(ports, event),
      (event) => traceOfReport(ports, event),
    ),
  });
  target.serviceBusQueue('evaluate', {
    connection,
    queueName: 'evaluations',
    handler: onMessage(ports, 'evaluations', 'evaluate', (message) => evaluate(ports, message)),
  });
  target.serviceBusQueue('deploy', {
    connection,
    queueName: 'deployments',
    handler: onMessage(ports, 'deployments', 'deploy', (message) => deploy(ports, message)),
  });
  registerDeadLetters(target, ports);
  target.timer('sweep', {
    schedule: '%SWEEP_SCHEDULE%',
    handler: async (_timer, context) => {
      const startedAt = ports.clock.now().getTime();
      const { projects, resent, problems } = await ports.telemetry.span('sweep', undefined, () => sweep(ports));
      const outcome = problems.length === 0 ? 'healed' : 'problems';
      const ids = { projects: String(projects), resent: String(resent), invocation: context.invocationId };
      const durationMs = ports.clock.now().getTime() - startedAt;
      ports.telemetry.stage({ stage: 'sweep', project: '', outcome, durationMs, ids });
    },
  });
  mount(target, { ...ports, score: createScorer(ports) }, [api]);
}

function registerDeadLetters(target: Pick<typeof app, 'serviceBusQueue'>, ports: BackendPorts): void {
  for (const queue of queueNames) {
    target.serviceBusQueue(`dead-letter-${queue}`, {
      connection,
      queueName: `${queue}/$deadletterqueue`,
      handler: async (body, context) => {
        // Service Bus tells the reason in properties of the message, whose names the worker begins in lower case
        const properties = context.triggerMetadata?.['applicationProperties'];
        const metadata = (typeof properties === 'object' ? properties : null) as Record<string, unknown> | null;
        const text = (value: unknown, otherwise: string): string => (typeof value === 'string' ? value : otherwise);
        const startedAt = ports.clock.now().getTime();
        const read = readMessage(queue, body);
        const why =
          'invalid' in read
            ? { reason: 'invalid-message', detail: read.invalid }
            : {
                reason: text(metadata?.['deadLetterReason'], 'unknown'),
                detail: text(
                  metadata?.['deadLetterErrorDescription'],
                  'The message was delivered too often without success.',
                ),
              };
        const { project, outcome } = await recordDeadLetter(ports, queue, { body, ...why });
        const durationMs = ports.clock.now().getTime() - startedAt;
        ports.telemetry.stage({ stage: 'dead-letter', project: project ?? '', outcome, durationMs, ids: { queue } });
      },
    });
  }
}
