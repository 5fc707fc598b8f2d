/** A version for `dvc pull`. */
import { directoryObject, type DvcFile, objectPath, pointerFile, relativePath } from '../../shared/dataset/dvc.ts';
import { treeStore } from '../../shared/dataset/store.ts';
import { entries } from '../../shared/dataset/walk.ts';
import { Problem } from '../../shared/api/problem.ts';
import { findVersion } from '../../shared/training/request.ts';
import { projectOf, route } from './route.ts';

/** A directory object lists every file: about 100 bytes each, held in memory while it is made. */
const maxFiles = 1_000_000;

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
      return {
        status: 200,
        text: pointerFile({ oid, sizeBytes, files: files.length }, project.id),
        contentType: 'application/yaml',
      };
    },
  }),
];
