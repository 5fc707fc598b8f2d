/** Batches: many pictures that one model is asked about. */
import type * as z from 'zod';
import { batchView, batchWithResultsView } from '../shared/api/views/batch.ts';
import type { Client } from './client.ts';
import { getAll } from './pages.ts';

export type Batch = z.infer<typeof batchWithResultsView>;

/** What is scored, and with which model version where that is not the live one. */
export type AskedBatch = { model?: number } & (
  | { uploads: { prefix: string } }
  | { version: string | number; split?: 'train' | 'validation' | 'test' }
);

/** Begins a batch. */
export const startBatch = (client: Client, project: string, asked: AskedBatch): Promise<Batch> =>
  client.send('POST', `/projects/${project}/batches`, asked, batchWithResultsView);

/** Reads a batch: how far it is, and where its results are. */
export const getBatch = async (client: Client, project: string, id: string): Promise<Batch> =>
  (await client.get(`/projects/${project}/batches/${id}`, batchWithResultsView)).body;

/** All batches of a project, newest first. */
export const listBatches = (client: Client, project: string): Promise<z.infer<typeof batchView>[]> =>
  getAll(client, `/projects/${project}/batches`, batchView);

/** Stops a batch; one that has ended stays as it is. */
export const cancelBatch = (client: Client, project: string, id: string): Promise<Batch> =>
  client.send('POST', `/projects/${project}/batches/${id}/cancel`, undefined, batchWithResultsView);
