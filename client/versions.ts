/** Dataset versions: history and differences. */
import type * as z from 'zod';
import { type versionView, versionSummaryView } from '../shared/api/views/dataset.ts';
import { diffView } from '../shared/api/views/diff.ts';
import type { Client } from './client.ts';
import { getAll, pagesOf } from './pages.ts';

export type Version = z.infer<typeof versionView>;
export type VersionSummary = z.infer<typeof versionSummaryView>;
export type DiffPage = z.infer<typeof diffView>;

const changesPerPage = 1000;

/** All versions of a project, newest first. */
export const listVersions = (client: Client, project: string): Promise<VersionSummary[]> =>
  getAll(client, `/projects/${project}/versions`, versionSummaryView);

/** What changed between two versions, page by page. */
export const diffVersions = (client: Client, project: string, from: number, to: number): AsyncGenerator<DiffPage> =>
  pagesOf(client, `/projects/${project}/versions/${from}/diff/${to}?limit=${changesPerPage}`, diffView);
