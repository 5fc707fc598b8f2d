/** Projects: settings, and how much there is of everything. */
import type * as z from 'zod';
import { projectStatusView, projectView } from '../shared/api/views/project.ts';
import type { Client } from './client.ts';

export type Project = z.infer<typeof projectView>;
export type ProjectStatus = z.infer<typeof projectStatusView>;

/** Reads a project with the ETag that changing it asks for. */
export const getProject = (client: Client, project: string): Promise<{ body: ProjectStatus; etag: string }> =>
  client.get(`/projects/${project}`, projectStatusView);

/** Creates a project, or replaces the settings of one that has this ETag. */
export const putProject = (
  client: Client,
  project: string,
  settings: z.input<typeof projectView>['settings'],
  etag?: string,
): Promise<Project> =>
  client.send('PUT', `/projects/${project}`, settings, projectView, etag === undefined ? {} : { 'if-match': etag });
