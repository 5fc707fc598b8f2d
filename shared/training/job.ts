/** What a job is given: its document and its manifest, written for each attempt. */
import pMap from 'p-map';
import { entries } from '../dataset/entries.ts';
import { findVersion } from '../dataset/find-version.ts';
import { treeStore } from '../dataset/store.ts';
import type { Ports } from '../ports.ts';
import { storedName } from '../sample/content.ts';
import { taskOf } from '../task/task.ts';
import { startTimeoutSeconds } from './compute.ts';
import type { RunDocument } from './document.ts';
import { contractVersion, type JobDocument } from './job-contract.ts';
import { maxTrainingSamples } from './untrainable.ts';

type JobPorts = Pick<Ports, 'blobs' | 'clock' | 'documents'>;

const heartbeatSeconds = 10;
const maxReports = 100_000;
/** weights, their averages and two moments of a network of 50 million weights, and as much again */
const maxCheckpointBytes = 2_000_000_000;
/** A checkpoint that cannot be read is rare, one before it that cannot be read either rarer. */
const checkpointsToTry = 3;
/** signatures are made so many at a time, and their lines put away as bytes */
const linesAtOnce = 1000;

/** Blob prefix of one attempt: `{project}/{run}/{token}`. */
export const attemptPrefix = (project: string, run: string, token: string): string => `${project}/${run}/${token}`;

/** Writes manifest and job document of an attempt; returns the signed address of the job document. */
export async function writeJob(ports: JobPorts, run: RunDocument, attempt: number, token: string): Promise<string> {
  const { blobs, clock } = ports;
  const prefix = attemptPrefix(run.pk, run.id, token);
  // the time limit counts from the first report on, which compute may delay
  const seconds = startTimeoutSeconds(run) + run.trainer.timeoutSeconds;
  const deadline = new Date(clock.now().getTime() + seconds * 1000);
  // signatures outlive the deadline, so that a job that ends late can still say so
  const expires = new Date(deadline.getTime() + 600_000);
  await blobs.create('jobs', `${prefix}/manifest.ndjson`, await manifest(ports, run, expires), {
    contentType: 'application/x-ndjson',
  });
  const output = (name: string): Promise<string> => blobs.sign('jobs', `${prefix}/${name}`, 'create', expires);
  const template = await blobs.sign('job-reports', `${prefix}/{sequence}.json`, 'create-any', expires);
  const document: JobDocument = {
    version: contractVersion,
    run: run.id,
    project: run.pk,
    token,
    attempt,
    task: run.task,
    manifestUrl: await blobs.sign('jobs', `${prefix}/manifest.ndjson`, 'read', expires),
    classes: run.classes,
    image: run.image,
    trainer: { name: run.trainer.name, parameters: run.trainer.parameters },
    seed: run.seed,
    datasetVersion: run.version.id,
    deadline: deadline.toISOString(),
    heartbeatSeconds,
    outputs: {
      'model.onnx': await output('model.onnx'),
      'metrics.json': await output('metrics.json'),
      'smoke.json': await output('smoke.json'),
    },
    reports: { urlTemplate: template, maximum: maxReports },
    checkpoint: await checkpointOf(ports, run, prefix, expires),
    cancelRequested: run.cancelRequested,
  };
  await blobs.overwrite('jobs', `${prefix}/job.json`, JSON.stringify(document), { contentType: 'application/json' });
  return blobs.sign('jobs', `${prefix}/job.json`, 'read', expires);
}

/** Addresses for what this attempt keeps, and for what those before it kept that compute did take. */
async function checkpointOf(
  { blobs }: JobPorts,
  run: RunDocument,
  prefix: string,
  expires: Date,
): Promise<NonNullable<JobDocument['checkpoint']>> {
  const earlier = run.attempts.filter(({ putOff }) => putOff === undefined).toReversed();
  const names = earlier.slice(0, checkpointsToTry).map(({ token }) => attemptPrefix(run.pk, run.id, token));
  return {
    putUrl: await blobs.sign('jobs', `${prefix}/checkpoint`, 'overwrite', expires),
    getUrls: await Promise.all(names.map((name) => blobs.sign('jobs', `${name}/checkpoint`, 'read', expires))),
    maximumBytes: maxCheckpointBytes,
  };
}

/** Tells the job of an attempt to end, which reads its document now and then. */
export async function requestJobEnd({ blobs }: Pick<Ports, 'blobs'>, run: RunDocument, token: string): Promise<void> {
  const name = `${attemptPrefix(run.pk, run.id, token)}/job.json`;
  const job = await blobs.get('jobs', name, { maxBytes: 1024 * 1024 });
  if (job === undefined || job === 'too-large') return;
  const document = { ...(JSON.parse(job.body.toString('utf8')) as object), cancelRequested: true };
  await blobs.overwrite('jobs', name, JSON.stringify(document), { contentType: 'application/json' });
}

async function manifest(ports: JobPorts, run: RunDocument, expires: Date): Promise<Buffer> {
  const version = await findVersion(ports, run.pk, run.version.id);
  const store = treeStore(ports.blobs, run.pk);
  const classes = new Set(run.classes);
  const unreadable = new Set(run.unreadable?.map(({ md5 }) => md5));
  const parts: Buffer[] = [];
  const kind = taskOf(run);
  let samples: { md5: string; split: string }[] = [];
  const write = async (): Promise<void> => {
    const lines = await pMap(
      samples,
      async (sample) => {
        const url = await ports.blobs.sign('datasets', storedName(run.pk, sample.md5), 'read', expires);
        return `${JSON.stringify({ url, ...sample })}\n`;
      },
      { concurrency: 16 },
    );
    parts.push(Buffer.from(lines.join('')));
    samples = [];
  };
  for (const split of ['train', 'validation'] as const) {
    for await (const { record } of entries(store, version.root, { split, limit: maxTrainingSamples })) {
      const line = kind.manifestLine(record.annotation, classes);
      if (line !== null && !unreadable.has(record.md5)) samples.push({ md5: record.md5, ...line, split });
      if (samples.length === linesAtOnce) await write();
    }
  }
  await write();
  return Buffer.concat(parts);
}
