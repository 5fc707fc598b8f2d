/** A job as the backend publishes it: document, manifest and pictures behind signed addresses. */
import type { ImageSpec } from '../../../shared/image/size.ts';
import { taskOf } from '../../../shared/task/task.ts';
import type { JobDocument } from '../../../shared/training/job-contract.ts';
import { type Sample, tasksOfJobs } from './samples.ts';
import type { Storage } from './storage.ts';

export interface JobOrder {
  task: string;
  samples: readonly Sample[];
  image: ImageSpec;
  parameters: Record<string, number | string | boolean>;
  trainer: string;
  /** 1 for the first try of a run */
  attempt?: number;
  change?: Partial<JobDocument>;
}

export interface PublishedJob {
  document: JobDocument;
  /** what DARKROOM_JOB_URL is set to */
  url: string;
  /** paths of what the job reads and writes */
  paths: { document: string; manifest: string; reports: string; outputs: Record<string, string>; pictures: string[] };
  /** Writes the document again, as the backend does to have the job ended. */
  revise(change: Partial<JobDocument>): void;
}

/** a job of 100,000 samples on a busy machine */
const deadlineMs = 2 * 3_600_000;
/** signatures outlive the deadline, so that a job that ends late can still say so */
const signedMs = deadlineMs + 600_000;
export const picturePath = (md5: string): string => `/datasets/colours/${md5}`;
export const reportPath = ({ paths }: PublishedJob, sequence: number): string =>
  `${paths.reports}${String(sequence).padStart(6, '0')}.json`;

/** Publishes a job on storage. The document and the manifest say more than this release knows, as later ones will. */
export function publishJob(storage: Storage, order: JobOrder): PublishedJob {
  const { task, samples, image, parameters, trainer, attempt = 1, change = {} } = order;
  const { fit } = taskOf({ task });
  const prefix = `colours/r-1/t-${attempt}`;
  const expires = new Date(Date.now() + signedMs);
  const output = (name: string): string => `/jobs/${prefix}/${name}`;
  const paths = {
    document: `/jobs/${prefix}/job.json`,
    manifest: `/jobs/${prefix}/manifest.ndjson`,
    reports: `/job-reports/${prefix}/`,
    outputs: Object.fromEntries(['model.onnx', 'metrics.json', 'smoke.json'].map((name) => [name, output(name)])),
    pictures: samples.map(({ md5 }) => picturePath(md5)),
  };
  const lines = samples.map(({ md5, annotation, split }) =>
    JSON.stringify({
      url: storage.sign(picturePath(md5), 'read', expires),
      md5,
      ...annotation,
      split,
      later: { than: 'this' },
    }),
  );
  for (const { md5, bytes } of samples) storage.blobs.set(picturePath(md5), bytes);
  storage.blobs.set(paths.manifest, Buffer.from(lines.map((line) => `${line}\n`).join('')));
  const template = storage.sign(`${paths.reports}sequence.json`, 'create-any', expires);
  const document: JobDocument = {
    version: 1,
    run: 'r-1',
    project: 'colours',
    token: `t-${attempt}`,
    attempt,
    task,
    manifestUrl: storage.sign(paths.manifest, 'read', expires),
    classes: tasksOfJobs[task]?.classes ?? [],
    image: fit === 'stretch' ? image : { ...image, fit },
    trainer: { name: trainer, parameters },
    seed: 3,
    datasetVersion: 'v-0001',
    deadline: new Date(Date.now() + deadlineMs).toISOString(),
    heartbeatSeconds: 1,
    outputs: {
      'model.onnx': storage.sign(output('model.onnx'), 'create', expires),
      'metrics.json': storage.sign(output('metrics.json'), 'create', expires),
      'smoke.json': storage.sign(output('smoke.json'), 'create', expires),
    },
    reports: { urlTemplate: template.replace('sequence.json', '{sequence}.json'), maximum: 1000 },
    cancelRequested: false,
    ...change,
  };
  const revise = (more: Partial<JobDocument>): void => {
    Object.assign(document, more);
    storage.blobs.set(paths.document, Buffer.from(JSON.stringify({ ...document, later: ['than', 'this'] })));
  };
  revise({});
  return { document, url: storage.sign(paths.document, 'read', expires), paths, revise };
}
