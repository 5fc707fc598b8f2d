/** Dataset versions: history, entries, differences. */
import * as z from 'zod';
import {
  entryView,
  toEntryView,
  toVersionSummary,
  toVersionView,
  versionSummaryView,
  versionView,
} from '../../../shared/api/views/dataset.ts';
import { diffView, type relabelView } from '../../../shared/api/views/diff.ts';
import { page } from '../../../shared/api/views/page.ts';
import { changePage } from '../../../shared/dataset/diff.ts';
import { entries } from '../../../shared/dataset/entries.ts';
import { findVersion } from '../../../shared/dataset/find-version.ts';
import { commitNow } from '../../../shared/dataset/commit-now.ts';
import { treeStore } from '../../../shared/dataset/store.ts';
import { findProject } from '../../../shared/project/find.ts';
import { taskOf } from '../../../shared/task/task.ts';
import { route } from '../route.ts';
import { continuationOf, linkTo, listQuery, pageOf } from './listing.ts';
import { maxPageBytes, readPage } from './pages.ts';

export const versionRoutes = [
  route({
    name: 'commits-post',
    method: 'POST',
    path: 'projects/{project}/commits',
    role: 'operator',
    summary: 'Commit what is staged now instead of waiting for the window',
    headers: ['Operation-Location', 'Retry-After'],
    answers: { 202: z.object({ generation: z.number() }) },
    async handle(ports, call) {
      const { document: project } = await findProject(ports, call.params.project);
      const json = await commitNow(ports, project.id, call.cause);
      const headers = { 'operation-location': `${call.base}/projects/${project.id}/versions`, 'retry-after': '2' };
      return { status: 202, json, headers };
    },
  }),
  route({
    name: 'versions-list',
    method: 'GET',
    path: 'projects/{project}/versions',
    role: 'viewer',
    summary: 'History, newest first; a version that is asked for by itself has its samples by class',
    query: z.strictObject(listQuery),
    answers: { 200: page(versionSummaryView) },
    async handle(ports, call) {
      const { document: project } = await findProject(ports, call.params.project);
      const orderBy = { field: 'number' as const, descending: true };
      const found = await readPage(
        call.query,
        (batch) => ports.documents.query('versions', { pk: project.id, orderBy, ...batch }),
        (documents) => documents.map(toVersionSummary),
      );
      return pageOf(call, `/projects/${project.id}/versions`, call.query, found.value, found.continuation);
    },
  }),
  route({
    name: 'versions-get',
    method: 'GET',
    path: 'projects/{project}/versions/{version}',
    role: 'viewer',
    summary: 'One version by id, number or `head`',
    headers: ['ETag'],
    answers: { 200: versionView },
    async handle(ports, call) {
      const { document: project } = await findProject(ports, call.params.project);
      const found = await findVersion(ports, project.id, call.params.version);
      return { status: 200, json: toVersionView(found), headers: { etag: `"${found.version}"` } };
    },
  }),
  route({
    name: 'versions-samples',
    method: 'GET',
    path: 'projects/{project}/versions/{version}/samples',
    role: 'viewer',
    summary: 'Entries of a version, in key order',
    query: z.strictObject({ ...listQuery, split: z.enum(['train', 'validation', 'test']).optional() }),
    answers: { 200: page(entryView) },
    async handle(ports, call) {
      const { document: project } = await findProject(ports, call.params.project);
      const version = await findVersion(ports, project.id, call.params.version);
      const { limit, split } = call.query;
      const { continuation: after } = continuationOf(call.query);
      const kind = taskOf(project.settings);
      const value: z.infer<typeof entryView>[] = [];
      const options = {
        limit: limit + 1,
        ...(after === undefined ? {} : { after }),
        ...(split === undefined ? {} : { split }),
      };
      let [bytes, last]: [number, string | undefined] = [0, undefined];
      for await (const { key, record } of entries(treeStore(ports.blobs, project.id), version.root, options)) {
        if (value.length === limit || bytes > maxPageBytes) {
          last = value.at(-1)?.key;
          break;
        }
        const entry = toEntryView(key, record, kind);
        bytes += Buffer.byteLength(JSON.stringify(entry));
        value.push(entry);
      }
      return pageOf(call, `/projects/${project.id}/versions/${version.version}/samples`, call.query, value, last);
    },
  }),
  route({
    name: 'versions-diff',
    method: 'GET',
    path: 'projects/{project}/versions/{from}/diff/{to}',
    role: 'viewer',
    summary: 'What changed from version a to version b, with counts of the whole; a page has at most `limit` changes',
    query: z.strictObject(listQuery),
    answers: {
      200: diffView,
    },
    async handle(ports, call) {
      const { document: project } = await findProject(ports, call.params.project);
      const from = await findVersion(ports, project.id, call.params.from);
      const to = await findVersion(ports, project.id, call.params.to);
      const { limit } = call.query;
      const { continuation: seen = '' } = continuationOf(call.query);
      const kind = taskOf(project.settings);
      const roots: [string, string] = [from.root, to.root];
      const { counts, changes, last } = await changePage(treeStore(ports.blobs, project.id), roots, {
        ...{ seen, limit, maxBytes: maxPageBytes },
      });
      const added: z.infer<typeof entryView>[] = [];
      const removed: z.infer<typeof entryView>[] = [];
      const relabelled: z.infer<typeof relabelView>[] = [];
      for (const { key, before, after } of changes) {
        if (after !== undefined && before !== undefined)
          relabelled.push({
            ...toEntryView(key, after, kind),
            before: kind.brief(before.annotation),
            ...kind.changes(before.annotation, after.annotation),
          });
        else if (after !== undefined) added.push(toEntryView(key, after, kind));
        else if (before !== undefined) removed.push(toEntryView(key, before, kind));
      }
      const path = `/projects/${project.id}/versions/${from.version}/diff/${to.version}`;
      const next = linkTo(call, path, call.query, last);
      return { status: 200, json: { from: from.number, to: to.number, counts, added, removed, relabelled, ...next } };
    },
  }),
];
