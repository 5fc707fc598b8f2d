/** `trainings` -> the next step of a training: each message wakes one verb of shared/training. */
import type * as z from 'zod';
import type { queueMessages } from '../shared/delivery/message.ts';
import type { Ports } from '../shared/ports.ts';
import { launchRun } from '../shared/training/launch.ts';
import { pollRun, type PollPorts } from '../shared/training/poll.ts';
import { requestOnVersion } from '../shared/training/request-on-version.ts';
import { scheduleAfter } from '../shared/training/schedule-next.ts';
import { consume, type QueueFunction } from './consume.ts';

type TrainPorts = Ports & PollPorts;

/** Takes trainings on. */
export const trainFunction = (ports: TrainPorts): QueueFunction =>
  consume(ports, 'trainings', 'train', (message) => train(ports, message));

/** Handles one wake-up of the training stage. */
export async function train(
  ports: TrainPorts,
  message: z.infer<(typeof queueMessages)['trainings']>,
): Promise<{ outcome: string }> {
  switch (message.type) {
    case 'darkroom.version.committed':
      return { outcome: await requestOnVersion(ports, message) };
    case 'darkroom.run.queued':
      return { outcome: await launchRun(ports, message.data, message) };
    case 'darkroom.run.poll':
      return { outcome: await pollRun(ports, message.data, message) };
    case 'darkroom.run.ended':
      return { outcome: await scheduleAfter(ports, message) };
  }
}
