/** Model versions of the registry. */
import type * as z from 'zod';
import { modelSummaryView, modelView } from '../shared/api/views/model.ts';
import type { Client } from './client.ts';
import { getAll } from './pages.ts';

export type Model = z.infer<typeof modelView>;
export type ModelSummary = z.infer<typeof modelSummaryView>;

/** Reads one model version. */
export const getModel = async (client: Client, project: string, number: number): Promise<Model> =>
  (await client.get(`/projects/${project}/models/${number}`, modelView)).body;

/** All model versions of a project, newest first. */
export const listModels = (client: Client, project: string): Promise<ModelSummary[]> =>
  getAll(client, `/projects/${project}/models`, modelSummaryView);
