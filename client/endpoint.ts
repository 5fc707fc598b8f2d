/** The endpoint of a project: what is live, scores, predictions. */
import type * as z from 'zod';
import { endpointView, predictionView, scoreView } from '../shared/api/views/endpoint.ts';
import type { Client } from './client.ts';

export type Endpoint = z.infer<typeof endpointView>;
export type Score = z.infer<typeof scoreView>;
export type Prediction = z.infer<typeof predictionView>;

/** Reads what is live, with the ETag that a rollback asks for. */
export const getEndpoint = (client: Client, project: string): Promise<{ body: Endpoint; etag: string }> =>
  client.get(`/projects/${project}/endpoint`, endpointView);

/** Returns to the model before, unless somebody changed the endpoint since it had this ETag. */
export const rollBack = (client: Client, project: string, reason: string, etag: string): Promise<Endpoint> =>
  client.send('POST', `/projects/${project}/endpoint/rollback`, { reason }, endpointView, { 'if-match': etag });

/** Scores one image, a file as it is. */
export const score = (client: Client, project: string, bytes: Uint8Array, contentType: string): Promise<Score> =>
  client.sendBytes(`/projects/${project}/score`, bytes, contentType, scoreView);

/** Reads a prediction with its lineage. */
export const getPrediction = async (client: Client, project: string, id: string): Promise<Prediction> =>
  (await client.get(`/projects/${project}/predictions/${id}`, predictionView)).body;
