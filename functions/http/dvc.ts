/** A version for `dvc pull`. */
import { directoryObject, type DvcFile, objectPath, pointerFile, relativePath } from '../../shared/dataset/dvc.ts';
import { treeStore } from '../../shared/dataset/store.ts';
import { entries } from '../../shared/dataset/walk.ts';
import { Problem } from '../../shared/api/problem.ts';
import { findVersion } from '../../shared/training/request.ts';
import { type Answer, projectOf, route } from './route.ts';

/** A directory object lists every file: about 100 bytes each, held in memory while it is made. */
const maxFiles = 1_000_000;

const maxPointerBytes = 64 * 1024;

const answer = (text: string, version: string): Answer => ({
  status: 200,
  text,
  contentType: 'application/yaml',
  headers: { etag: `"${version}"` },
});

export const datasetExportRoutes = [
  route({
    name: 'versions-dvc',
    method: 'GET',
    path: 'v1/projects/{p}/versions/{v}/dvc',
    role: 'viewer',
    summary: 'A .dvc pointer file for `dvc pull`; the remote is azure://datasets/{project}',
    answers: { 200: 'dvc' },
    async handle(ports, call) {
      const { document: project } = await projectOf(ports, call);
      const version = await findVersion(ports, project.id, call.params['v']);
      if (version.samples > maxFiles) {
        throw new Problem(
          409,
          'version-too-large',
          `Version ${version.number} has ${version.samples} samples; a directory object of more than ${maxFiles} is not made.`,
        );
      }
      // made on request, and once: it is as large as the version
      const kept = `${project.id}/dvc/${version.version}.dvc`;
      const known = await ports.blobs.get('datasets', kept, { maxBytes: maxPointerBytes });
      if (known !== undefined && known !== 'too-large') return answer(known.body.toString('utf8'), version.version);
      const files: DvcFile[] = [];
      let sizeBytes = 0;
      for await (const { record } of entries(treeStore(ports.blobs, project.id), version.root)) {
        files.push({ md5: record.md5, relpath: relativePath(record) });
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
