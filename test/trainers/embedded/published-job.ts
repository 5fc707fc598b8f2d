/** A job with sixteen tiny pictures on the stand-in for storage, and programs that run it. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import sharp from 'sharp';
import { jobDocument, jobReport, type JobDocument, type JobReport } from '../../../shared/training/job-contract.ts';
import type { BlobServer } from './blob-server.ts';

const md5Of = (bytes: Buffer): string => createHash('md5').update(bytes).digest('hex');

/** A dark or a bright image: a task that any trainer learns. */
async function picture(bright: boolean, index: number): Promise<Buffer> {
  const pixels = Buffer.alloc(12 * 12 * 3, 30);
  // stripes across or along, since brightness alone is normalised away
  for (let y = 0; y < 12; y++) {
    for (let x = 0; x < 12; x++)
      if (((bright ? x : y) + index) % 4 < 2) pixels.fill(220 - index, (y * 12 + x) * 3, (y * 12 + x) * 3 + 3);
  }
  return sharp(pixels, { raw: { width: 12, height: 12, channels: 3 } })
    .png()
    .toBuffer();
}

/** Publishes the job document, its manifest and its pictures. */
export async function publishJobOn(server: BlobServer, change: Partial<JobDocument> = {}): Promise<JobDocument> {
  const lines: string[] = [];
  for (let index = 0; index < 16; index++) {
    const bytes = await picture(index % 2 === 0, index);
    const md5 = md5Of(bytes);
    server.blobs.set(`/datasets/${md5}`, bytes);
    const label = index % 2 === 0 ? 'upright' : 'level';
    lines.push(
      JSON.stringify({
        url: `${server.base}/datasets/${md5}?sig=x`,
        md5,
        label,
        split: index < 12 ? 'train' : 'validation',
      }),
    );
  }
  server.blobs.set('/jobs/manifest.ndjson', Buffer.from(`${lines.join('\n')}\n`));
  const output = (name: string): string => `${server.base}/jobs/out/${name}?sig=x`;
  const job: JobDocument = jobDocument.parse({
    run: 'r-1',
    project: 'stripes',
    token: 't-1',
    attempt: 1,
    manifestUrl: `${server.base}/jobs/manifest.ndjson?sig=x`,
    classes: ['level', 'upright'],
    image: { width: 12, height: 12, channels: 3 },
    trainer: { name: 'resnet-small', parameters: { epochs: 4, width: 4, batchSize: 4 } },
    seed: 3,
    datasetVersion: 'v-0001',
    deadline: new Date(Date.now() + 60_000).toISOString(),
    heartbeatSeconds: 30,
    outputs: {
      'model.onnx': output('model.onnx'),
      'metrics.json': output('metrics.json'),
      'smoke.json': output('smoke.json'),
    },
    reports: { urlTemplate: `${server.base}/job-reports/stripes/r-1/t-1/{sequence}.json?sig=x`, maximum: 100 },
    cancelRequested: false,
    ...change,
  });
  server.blobs.set('/jobs/job.json', Buffer.from(JSON.stringify(job)));
  return job;
}

/** What the job has reported, in order. */
export const reportsOn = (server: BlobServer): JobReport[] =>
  [...server.blobs.keys()]
    .filter((path) => path.startsWith('/job-reports/'))
    .sort()
    .map((path) => jobReport.parse(JSON.parse(server.blobs.get(path)?.toString('utf8') ?? '')));

/** Starts a job program and waits for its end; `meanwhile` gets the process. */
export function runJobOn(
  server: BlobServer,
  command: string[],
  environment: Record<string, string> = {},
  meanwhile?: (kill: () => void) => void,
): Promise<number | null> {
  const [program = '', ...rest] = command;
  const child = spawn(program, rest, {
    stdio: 'ignore',
    env: {
      ...process.env,
      DARKROOM_JOB_URL: `${server.base}/jobs/job.json?sig=x`,
      CONTAINER_APP_JOB_EXECUTION_NAME: 'execution-1',
      DARKROOM_TRAINER_THREADS: '1',
      ...environment,
    },
  });
  meanwhile?.(() => child.kill('SIGTERM'));
  return new Promise((resolve) => child.on('close', (code) => resolve(code)));
}
