/** A version for `dvc pull`. */
import { directoryObject, type DvcFile, objectPath, pointerFile, relativePath } from '../../../shared/dataset/dvc.ts';
import { treeStore } from '../../../shared/dataset/store.ts';
import { entries } from '../../../shared/dataset/entries.ts';
import { taskOf } from '../../../shared/task/task.ts';
import { Problem } from '../../../shared/api/problem.ts';
import type { VersionSummary } from '../../../shared/dataset/document.ts';
import { findVersion } from '../../../shared/dataset/find-version.ts';
import { type Answer, route } from '../route.ts';
import { projectOf } from './find-project.ts';

/**
 * A directory object lists every file, and no score is answered while it is sorted and written: for this many less than a
 * second, with 120 MB of memory; for a million six seconds and 320 MB, beside what the list itself takes.
 */
const maxFiles = 250_000;

const maxPointerBytes = 64 * 1024;

const answer = (text: string, version: string): Answer => ({
  status: 200,
  text,
  contentType: 'application/yaml',
  headers: { etag: `"${version}"` },
});

function tooLarge({ number, samples }: VersionSummary, base: string): Problem {
  const detail =
    `Version ${number} has ${samples} samples, and a directory object for DVC is made of ${maxFiles} at most. ` +
    `Read them page by page with GET ${base}/versions/${number}/samples, or export an earlier version.`;
  return new Problem(409, 'version-too-large', detail, { target: 'version' });
}

export const exportRoutes = [
  route({
    name: 'versions-dvc',
    method: 'GET',
    path: 'projects/{project}/versions/{version}/dvc',
    role: 'viewer',
    summary: 'A .dvc pointer file for `dvc pull`; the remote is azure://datasets/{project}',
    headers: ['ETag'],
    answers: { 200: 'dvc' },
    async handle(ports, call) {
      const { document: project } = await projectOf(ports, call);
      const version = await findVersion(ports, project.id, call.params.version);
      // made on request, and once: it is as large as the version
      const kept = `${project.id}/dvc/${version.version}.dvc`;
      const known = await ports.blobs.get('datasets', kept, { maxBytes: maxPointerBytes });
      if (known !== undefined && known !== 'too-large') return answer(known.body.toString('utf8'), version.version);
      if (version.samples > maxFiles) throw tooLarge(version, `${call.base}/projects/${project.id}`);
      const kind = taskOf(project.settings);
      const files: DvcFile[] = [];
      let sizeBytes = 0;
      for await (const { record } of entries(treeStore(ports.blobs, project.id), version.root)) {
        files.push({ md5: record.md5, relpath: relativePath(record, kind) });
        sizeBytes += record.sizeBytes;
      }
      const { oid, bytes } = directoryObject(files);
      // the files are there since ingest: DVC takes a present .dir as proof of that
      await ports.blobs.create('datasets', `${project.id}/${objectPath(oid)}`, bytes, {
        contentType: 'application/json',
      });
      const pointer = pointerFile({ oid, sizeBytes, files: files.length }, project.id);
      await ports.blobs.create('datasets', kept, pointer, { contentType: 'application/yaml' });
      return answer(pointer, version.version);
    },
  }),
];
