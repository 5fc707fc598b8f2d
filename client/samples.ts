/** Samples: accepted images. */
import type * as z from 'zod';
import { sampleView } from '../shared/api/views/dataset.ts';
import type { Client } from './client.ts';
import { getAll } from './pages.ts';

export type Sample = z.infer<typeof sampleView>;

/** Reads one sample. */
export const getSample = async (client: Client, project: string, id: string): Promise<Sample> =>
  (await client.get(`/projects/${project}/samples/${id}`, sampleView)).body;

/** The newest samples of a project, at most so many. */
export const listNewestSamples = (client: Client, project: string, limit: number): Promise<Sample[]> =>
  getAll(client, `/projects/${project}/samples?limit=${limit}`, sampleView, 1);

/** Says what a sample shows, in the form of its project's task kind. */
export const annotate = (client: Client, project: string, id: string, annotation: object): Promise<Sample> =>
  client.send('PUT', `/projects/${project}/samples/${id}/annotation`, annotation, sampleView);
