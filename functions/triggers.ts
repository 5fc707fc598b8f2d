/** The map of the backend: every queue, timer and surface, and the function that it triggers. */
import type { app } from '@azure/functions';
import type { EvaluatePorts } from '../shared/evaluation/evaluate.ts';
import { createScorer, type ScorePorts } from '../shared/prediction/score.ts';
import { queueNames } from '../shared/resources.ts';
import type { IngestPorts } from '../shared/upload/ingest.ts';
import { commitFunction } from './commit.ts';
import { deadLetterFunction } from './dead-letter.ts';
import { deployFunction } from './deploy.ts';
import { evaluateFunction } from './evaluate.ts';
import { api } from './http/api/api.ts';
import { mount } from './http/mount.ts';
import type { HttpPorts } from './http/route.ts';
import { ingestFunction } from './ingest.ts';
import { sweepFunction } from './sweep.ts';
import { trainFunction } from './train.ts';
import { trainingEventFunction } from './training-event.ts';

/** What the backend needs of the outside; app.ts hands in Azure, the simulator its fakes. */
export interface BackendPorts
  extends ScorePorts, EvaluatePorts, IngestPorts, Pick<HttpPorts, 'rateLimits' | 'publicUrl'> {}

/** Adds every function, with what triggers it, to the app. */
export function addFunctions(
  target: Pick<typeof app, 'serviceBusQueue' | 'timer' | 'http'>,
  ports: BackendPorts,
): void {
  target.serviceBusQueue('ingest', ingestFunction(ports));
  target.serviceBusQueue('commit', commitFunction(ports));
  target.serviceBusQueue('train', trainFunction(ports));
  target.serviceBusQueue('training-event', trainingEventFunction(ports));
  target.serviceBusQueue('evaluate', evaluateFunction(ports));
  target.serviceBusQueue('deploy', deployFunction(ports));
  for (const queue of queueNames) target.serviceBusQueue(`dead-letter-${queue}`, deadLetterFunction(ports, queue));
  target.timer('sweep', sweepFunction(ports));
  mount(target, { ...ports, score: createScorer(ports) }, [api]);
}
