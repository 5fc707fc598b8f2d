/** Everything behind a model version. */
import type { VersionSummary } from '../dataset/document.ts';
import { entries } from '../dataset/entries.ts';
import { findVersion } from '../dataset/find-version.ts';
import type { SampleRecord } from '../dataset/record.ts';
import { treeStore } from '../dataset/store.ts';
import type { EndpointDocument } from '../endpoint/document.ts';
import type { Ports } from '../ports.ts';
import { findProject } from '../project/find.ts';
import { type TaskKind, taskOf } from '../task/task.ts';
import type { RunDocument } from '../training/document.ts';
import type { ModelDocument } from './document.ts';

const maxSamples = 100;

export interface Lineage {
  model: ModelDocument;
  kind: TaskKind;
  endpoint: EndpointDocument | undefined;
  run: RunDocument | undefined;
  version: VersionSummary;
  /** the first 100 of the version */
  samples: { key: string; record: SampleRecord }[];
}

/** Reads the run that made a model, the version that it was made of, and scans of that. */
export async function traceLineage(ports: Pick<Ports, 'blobs' | 'documents'>, model: ModelDocument): Promise<Lineage> {
  const project = model.pk;
  const [{ document }, run, version, endpoint] = await Promise.all([
    findProject(ports, project),
    ports.documents.read('runs', project, model.run),
    findVersion(ports, project, model.version.id),
    ports.documents.read('endpoints', project, 'endpoint'),
  ]);
  const store = treeStore(ports.blobs, project);
  const samples: Lineage['samples'] = [];
  for await (const entry of entries(store, version.root, { limit: maxSamples })) samples.push(entry);
  return { model, kind: taskOf(document.settings), endpoint: endpoint?.document, run: run?.document, version, samples };
}
