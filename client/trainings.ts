/** Trainings: asked for, followed, cancelled. */
import * as z from 'zod';
import { page } from '../shared/api/views/page.ts';
import { trainingSummaryView, trainingView } from '../shared/api/views/training.ts';
import type { Client } from './client.ts';

export type Training = z.infer<typeof trainingView>;
export type TrainingSummary = z.infer<typeof trainingSummaryView>;

const openStates: readonly Training['state'][] = ['queued', 'submitted', 'running', 'evaluating'];

/** Whether a training has not ended yet. */
export const isOpen = ({ state }: Pick<Training, 'state'>): boolean => openStates.includes(state);

/** The newest trainings of a project: the first page of them. */
export const listNewestTrainings = async (client: Client, project: string): Promise<TrainingSummary[]> =>
  (await client.get(`/projects/${project}/trainings`, page(trainingSummaryView))).body.value;

/** Reads one training. */
export const getTraining = async (client: Client, project: string, id: string): Promise<Training> =>
  (await client.get(`/projects/${project}/trainings/${id}`, trainingView)).body;

/** Asks for a training of the newest version; resolves with its id. */
export const requestTraining = async (
  client: Client,
  project: string,
  asked: {
    seed?: number;
    reason?: string;
    trainer?: { name?: string; parameters?: Training['trainer']['parameters'] };
  },
): Promise<string> =>
  (await client.send('POST', `/projects/${project}/trainings`, asked, z.object({ id: z.string() }))).id;

/** Asks a training to stop; resolves with it as it is then. */
export const cancelTraining = (client: Client, project: string, id: string): Promise<Training> =>
  client.send('POST', `/projects/${project}/trainings/${id}/cancel`, undefined, trainingView);
