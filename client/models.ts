/** Model versions of the registry. */
import type * as z from 'zod';
import { modelSummaryView, modelView, receivedView } from '../shared/api/views/model.ts';
import type { Client } from './client.ts';
import { getAll } from './pages.ts';

export type Model = z.infer<typeof modelView>;
export type ModelSummary = z.infer<typeof modelSummaryView>;
export type ReceivedModel = z.infer<typeof receivedView>;

/** What may be said of a model that is brought. */
export interface BroughtModel {
  /** number, id or `head` of the dataset version that it is judged on; left out: the newest */
  version?: string;
  /** in the order of the outputs, where that is not the order of the project */
  classes?: string[];
  /** what it takes in, where that is not what models of the project do */
  image?: Model['image'];
  source?: string;
  notes?: string;
  metrics?: Record<string, number>;
}

/** Reads one model version. */
export const getModel = async (client: Client, project: string, number: number): Promise<Model> =>
  (await client.get(`/projects/${project}/models/${number}`, modelView)).body;

/** All model versions of a project, newest first. */
export const listModels = (client: Client, project: string): Promise<ModelSummary[]> =>
  getAll(client, `/projects/${project}/models`, modelSummaryView);

/** Brings a model that was trained elsewhere; resolves with the training that judges it. */
export const uploadModel = (
  client: Client,
  project: string,
  onnx: Uint8Array,
  { classes, image, metrics, ...texts }: BroughtModel = {},
): Promise<ReceivedModel> => {
  const said = {
    ...texts,
    ...(classes === undefined ? {} : { classes: JSON.stringify(classes) }),
    ...(image === undefined ? {} : { image: JSON.stringify(image) }),
    ...(metrics === undefined ? {} : { metrics: JSON.stringify(metrics) }),
  };
  const path = `/projects/${project}/models?${new URLSearchParams(said).toString()}`;
  return client.sendBytes(path, onnx, 'application/octet-stream', receivedView);
};
