/** A training program by the job contract, in virtual time; at times it fails as real ones do. */
import { createHash } from 'node:crypto';
import {
  type JobDocument,
  jobDocument,
  type JobReport,
  manifestLine,
  type OutputName,
} from '../../shared/training/job-contract.ts';
import type { BlobStore } from './blobs.ts';
import type { Program } from './compute.ts';
import { type Faults, Lost } from './faults.ts';
import { modelBytes, smokeAnswer } from './pictures.ts';
import type { Scheduler } from './scheduler.ts';

/** Another execution writes the reports of this run. */
class Superseded extends Error {}

type Outputs = Extract<JobReport, { kind: 'succeeded' }>['outputs'];
type Tale =
  | { kind: 'started' | 'heartbeat' }
  | { kind: 'failed'; reason: string }
  | { kind: 'succeeded'; outputs: Outputs };

const maxTries = 8;
const ways = ['fails', 'hangs', 'vanishes', 'says nothing', 'leaves no model', 'leaves a bad model'] as const;

/** Creates the program that each execution runs. */
export function createTrainer(scheduler: Scheduler, blobs: BlobStore['atUrl'], faults: Faults, now: () => Date) {
  /** Tries until there is an answer; the number of tries tells an unclear write of ours from another's. */
  const persist = async <T>(attempt: (tries: number) => Promise<T>): Promise<T> => {
    for (let tries = 1; ; tries++) {
      try {
        return await attempt(tries);
      } catch (error) {
        if (!(error instanceof Lost) || tries === maxTries) throw error;
        await scheduler.sleep(200 * 2 ** tries);
      }
    }
  };
  const get = (url: string): Promise<Buffer | undefined> => persist(() => blobs.get(url));
  const create = (url: string, body: Buffer): Promise<boolean> =>
    persist(async (tries) => (await blobs.create(url, body, 'application/octet-stream')) !== 'exists' || tries > 1);
  const readJob = async (url: string): Promise<JobDocument> =>
    jobDocument.parse(JSON.parse((await get(url))?.toString('utf8') ?? ''));

  const program: Program = async (environment, execution) => {
    const url = environment['DARKROOM_JOB_URL'] ?? '';
    const job = await readJob(url);
    let sequence = 0;
    const report = async (tale: Tale): Promise<void> => {
      const report: JobReport = { ...tale, sequence: ++sequence, at: now().toISOString(), execution };
      const to = job.reports.urlTemplate.replace('{sequence}', String(sequence).padStart(6, '0'));
      if (!(await create(to, Buffer.from(JSON.stringify(report))))) throw new Superseded('not ours');
    };
    try {
      await report({ kind: 'started' });
      return await work(job, url, report);
    } catch (error) {
      if (error instanceof Superseded) return 0;
      throw error;
    }
  };

  async function work(job: JobDocument, url: string, report: (tale: Tale) => Promise<void>): Promise<number> {
    const odd = faults.strikes(faults.rates.oddJob) ? scheduler.random.pick(ways) : undefined;
    const heartbeats = scheduler.random.between(0, 4);
    for (let i = 0; i < heartbeats; i++) {
      await scheduler.sleep(job.heartbeatSeconds * 1000);
      await report({ kind: 'heartbeat' });
      if (!(await readJob(url)).cancelRequested) continue;
      await report({ kind: 'failed', reason: 'cancelled' });
      return 0;
    }
    if (odd === 'vanishes') return 137;
    if (odd === 'hangs') await scheduler.sleep(3600_000);
    if (odd === 'fails') {
      await report({ kind: 'failed', reason: scheduler.random.pick(['terminated', 'loss is not a number']) });
      return 1;
    }
    const outputs = await leave(job, odd);
    if (odd !== 'says nothing') await report({ kind: 'succeeded', outputs });
    return 0;
  }

  async function leave(job: JobDocument, odd: (typeof ways)[number] | undefined): Promise<Outputs> {
    const manifest = (await get(job.manifestUrl))?.toString('utf8') ?? '';
    const lines = manifest.split('\n').filter((line) => line !== '');
    const samples = lines.map((line) => manifestLine.parse(JSON.parse(line)));
    const learnt = createHash('md5')
      .update(`${job.datasetVersion} ${job.seed} ${JSON.stringify(job.trainer)}`)
      .digest();
    const bytes = modelBytes({
      task: job.task ?? '',
      classes: job.classes,
      accuracy: 0.9 + (learnt.readUInt8(0) / 255) * 0.1,
      seed: learnt.readUInt32BE(0),
    });
    const smoke: object[] = [];
    for (const sample of samples.filter(({ split }) => split === 'validation').slice(0, 2)) {
      const image = await get(sample.url);
      if (image === undefined) throw new Error(`sample ${sample.md5} is missing`);
      smoke.push({ md5: sample.md5, ...smokeAnswer(bytes, image) });
    }
    const files: Record<OutputName, Buffer> = {
      'model.onnx': odd === 'leaves a bad model' ? Buffer.from('nonsense') : bytes,
      'metrics.json': Buffer.from(JSON.stringify({ samples: samples.length })),
      'smoke.json': Buffer.from(JSON.stringify(smoke)),
    };
    const written = {} as Outputs;
    for (const [name, body] of Object.entries(files) as [OutputName, Buffer][]) {
      if (odd !== 'leaves no model' || name !== 'model.onnx') await create(job.outputs[name], body);
      written[name] = { sha256: createHash('sha256').update(body).digest('hex'), sizeBytes: body.length };
    }
    return written;
  }

  return program;
}
