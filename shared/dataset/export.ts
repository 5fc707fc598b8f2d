/** Exporting a version for `dvc pull`. */
import type { Ports } from '../ports.ts';
import type { ProjectDocument } from '../project/document.ts';
import { taskOf } from '../task/task.ts';
import type { VersionSummary } from './document.ts';
import { directoryObject, type DvcFile, objectPath, pointerFile, relativePath } from './dvc.ts';
import { entries } from './entries.ts';
import { treeStore } from './store.ts';

/**
 * A directory object lists every file, and no score is answered while it is sorted and written: for this many less than a
 * second, with 120 MB of memory; for a million six seconds and 320 MB, beside what the list itself takes.
 */
export const maxExported = 250_000;

const maxPointerBytes = 64 * 1024;

/** Resolves to the text of the version's `.dvc` file, which is made once; 'too-large' for more than 250,000 samples. */
export async function exportVersion(
  { blobs }: Pick<Ports, 'blobs'>,
  { id: project, settings }: Pick<ProjectDocument, 'id' | 'settings'>,
  { version, root, samples }: VersionSummary,
): Promise<string> {
  // made on request, and once: it is as large as the version
  const kept = `${project}/dvc/${version}.dvc`;
  const known = await blobs.get('datasets', kept, { maxBytes: maxPointerBytes });
  if (known !== undefined && known !== 'too-large') return known.body.toString('utf8');
  if (samples > maxExported) return 'too-large';
  const kind = taskOf(settings);
  const files: DvcFile[] = [];
  let sizeBytes = 0;
  for await (const { record } of entries(treeStore(blobs, project), root)) {
    files.push({ md5: record.md5, relpath: relativePath(record, kind) });
    sizeBytes += record.sizeBytes;
  }
  const { oid, bytes } = directoryObject(files);
  // the files are there since ingest: DVC takes a present .dir as proof of that
  await blobs.create('datasets', `${project}/${objectPath(oid)}`, bytes, { contentType: 'application/json' });
  const pointer = pointerFile({ oid, sizeBytes, files: files.length }, project);
  await blobs.create('datasets', kept, pointer, { contentType: 'application/yaml' });
  return pointer;
}
