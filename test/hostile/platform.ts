/** A platform with something of everything in it, and keys of every kind: what hostile requests are sent to. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import * as z from 'zod';
import type { Platform } from '../../local/platform.ts';
import { roles } from '../../shared/api/keys.ts';
import { keyDocument, keyId, newKey } from '../../shared/key/secret.ts';
import { connect } from '../../shared/azure/connect.ts';
import { readConfig } from '../../shared/config.ts';
import { newEndpoint } from '../../shared/endpoint/endpoint.ts';
import type { ModelDocument } from '../../shared/model/document.ts';
import type { RunDocument } from '../../shared/training/document.ts';
import { encodeModel } from '../../shared/onnx/encode.ts';
import type { Ports } from '../../shared/ports.ts';
import { modelBlob } from '../../shared/model/artifact.ts';
import { registerModel } from '../../shared/model/register.ts';
import { type JobDocument, jobDocument } from '../../shared/training/job-contract.ts';
import { attemptPrefix } from '../../shared/training/job.ts';
import { waitingMessages } from './snapshot.ts';
import { tinyModel } from '../shared/onnx/tiny-model.ts';
import { startApp } from '../platform.ts';

export const project = 'digits';
export const elsewhere = 'elsewhere';
const classes = ['dark', 'light'];
const image = { width: 8, height: 8, channels: 1 as const };
const verdict = { decision: 'approved' as const, reasons: ['it was put here'], samples: 1, accuracy: 1 };
const settings = { image, commit: { quietSeconds: 1 }, retrain: { onVersion: false }, deploy: { mode: 'manual' } };

export interface Target {
  platform: Platform;
  ports: Ports;
  /** address without a path */
  origin: string;
  /** `{role}`: for all projects, `{role} of digits`, `{role} of elsewhere` */
  keys: Map<string, string>;
  keyOf: (name: string) => string;
  /** a picture that is scored and not stored */
  picture: Buffer;
  /** values that make the paths of this API lead to something */
  params: Record<string, string>;
  /** resident memory of the functions' process, in bytes; 0 where the system does not say */
  residentBytes(): Promise<number>;
  /** the training that was started, as it is now */
  run(): Promise<RunDocument>;
  /** what its job was given */
  job(): Promise<JobDocument>;
  /** resolves when no message waits any more; rejects after a minute, naming the queues that hold some */
  drained(): Promise<void>;
  close(): Promise<void>;
}

/** A picture of one grey, so that all differ. */
export const tile = (grey: number): Promise<Buffer> =>
  sharp(Buffer.alloc(64, grey), { raw: { width: 8, height: 8, channels: 1 } })
    .png()
    .toBuffer();

async function makeKeys({ documents }: Ports): Promise<Map<string, string>> {
  const keys = new Map<string, string>();
  for (const role of roles)
    for (const scope of ['*', project, elsewhere]) {
      const key = newKey(randomBytes(32));
      const name = scope === '*' ? role : `${role} of ${scope}`;
      const at = new Date().toISOString();
      // used today already, so that calls leave no trace in it
      const lastUsedOn = at.slice(0, 10);
      await documents.create('keys', { ...keyDocument(key, { role, project: scope, name }, at), lastUsedOn });
      keys.set(name, key);
    }
  return keys;
}

type Api = (method: string, route: string, body?: unknown) => Promise<unknown>;

async function eventually<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < 600; tries++) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${what} did not come within 60 s`);
}

const given = z.object({
  value: z.array(z.object({ url: z.string(), headers: z.record(z.string(), z.string()) })),
});
const listed = z.object({ value: z.array(z.looseObject({ id: z.string() })) });
const headOf = z.object({ head: z.looseObject({ id: z.string(), number: z.number() }).nullable() });
const scored = z.object({ predictionId: z.string() });

/** Two projects; eight samples and a broken one in the first, committed as its version 1. */
async function fill(api: Api): Promise<{ id: string; number: number }> {
  await api('PUT', `/projects/${project}`, settings);
  await api('PUT', `/projects/${elsewhere}`, {});
  const files = await Promise.all(
    Array.from({ length: 9 }, async (_, i) => ({
      name: `tile-${i}.png`,
      label: classes[i % 2],
      bytes: i === 8 ? Buffer.from('no picture') : await tile(i * 30),
    })),
  );
  const asked = files.map(({ name, label }) => ({ name, label, contentType: 'image/png' }));
  const { value } = given.parse(await api('POST', `/projects/${project}/upload-urls`, { files: asked }));
  for (const [i, { url, headers }] of value.entries()) {
    const put = await fetch(url, { method: 'PUT', headers, body: new Uint8Array(files[i]?.bytes ?? []) });
    if (put.status !== 201) throw new Error(`an upload was answered ${put.status}`);
  }
  return eventually('version 1', async () => {
    const { head } = headOf.parse(await api('GET', `/projects/${project}`));
    return head === null ? undefined : { id: head.id, number: head.number };
  });
}

/** Puts a model behind the endpoint, as a training and its deployment would. */
async function serve({ blobs, documents }: Ports, version: { id: string; number: number }, run: string): Promise<void> {
  const bytes = Buffer.from(encodeModel(tinyModel(0, { ...image, classes: 2 })));
  const digest = createHash('sha256').update(bytes).digest('hex');
  await blobs.create('models', modelBlob(project, digest), bytes);
  const at = new Date().toISOString();
  const model: Omit<ModelDocument, 'id' | 'number'> = {
    ...{ pk: project, state: 'approved', digest, sizeBytes: bytes.length, classes, image, run, version },
    task: 'classification',
    metrics: { accuracy: 1, samples: 1, recall: {}, confusion: [] },
    verdict: Object.assign(verdict, { interval: { low: 0.5, high: 1 }, champion: null }),
    lineage: { trainer: 'softmax', parameters: {}, seed: 1, code: null },
    ...{ smoke: [], createdAt: at, decidedBy: 'gate' },
  };
  const { number } = await registerModel(documents, model);
  const target = { model: number, digest, deployment: 'd-first' };
  await documents.create('endpoints', { id: 'endpoint', pk: project, ...newEndpoint, production: target, revision: 1 });
}

async function residentBytes(pid: number | undefined): Promise<number> {
  try {
    return Number((await readFile(`/proc/${pid}/statm`, 'utf8')).split(' ')[1]) * 4096;
  } catch {
    return 0;
  }
}

/** Starts it. Its training jobs do nothing, for ever. */
export async function startTarget(): Promise<Target> {
  const folder = await mkdtemp(path.join(tmpdir(), 'darkroom-hostile-'));
  const platform = await startApp({
    dataDir: folder,
    jobCommand: ['sleep', '100000'],
  });
  const origin = platform.addresses.http ?? '';
  const ports = connect(readConfig(platform.settings));
  const keys = await makeKeys(ports);
  const keyOf = (name: string): string => {
    const key = keys.get(name);
    if (key === undefined) throw new Error(`there is no key "${name}"`);
    return key;
  };
  const api: Api = async (method, route, body) => {
    const answer = await fetch(`${origin}/api/v1${route}`, {
      method,
      headers: { 'x-api-key': keyOf('operator'), 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: Buffer.isBuffer(body) ? new Uint8Array(body) : JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${route} was answered ${answer.status}: ${await answer.text()}`);
    return answer.json();
  };
  const version = await fill(api);
  const { id: run } = z.looseObject({ id: z.string() }).parse(await api('POST', `/projects/${project}/trainings`, {}));
  await serve(ports, version, run);
  const picture = await tile(200);
  const firstOf = async (what: string): Promise<string> =>
    listed.parse(await api('GET', `/projects/${project}/${what}`)).value[0]?.id ?? '';
  const named = { sample: await firstOf('samples'), upload: await firstOf('uploads'), training: run };
  const prediction = await fetch(`${origin}/api/v1/projects/${project}/score`, {
    method: 'POST',
    headers: { 'x-api-key': keyOf('viewer'), 'content-type': 'image/png' },
    body: new Uint8Array(picture),
  });
  const params = {
    ...{ project, version: '1', from: '1', to: 'head', number: '1', queue: 'evaluations' },
    // key and batch are nobody's: operations that revoke or cancel one may be called by everybody who may
    ...{
      ...named,
      key: keyId(newKey(randomBytes(32))) ?? '',
      batch: '0'.repeat(24),
      prediction: scored.parse(await prediction.json()).predictionId,
    },
  };
  const runNow = async (): Promise<RunDocument> => {
    const found = await ports.documents.read('runs', project, run);
    if (found === undefined) throw new Error(`run ${run} is gone`);
    return found.document;
  };
  return {
    ...{ platform, ports, origin, keys, keyOf, picture },
    run: runNow,
    job: async () => {
      const { token } = await eventually('the start of the job', async () => {
        const found = await runNow();
        return found.execution === null ? undefined : found;
      });
      const name = `${attemptPrefix(project, run, token ?? '')}/job.json`;
      const found = await ports.blobs.get('jobs', name, { maxBytes: 1e6 });
      if (found === undefined || found === 'too-large') throw new Error(`there is no ${name}`);
      return jobDocument.parse(JSON.parse(found.body.toString('utf8')));
    },
    async drained() {
      const connection = platform.settings['SERVICEBUS'] ?? '';
      let waiting = new Map<string, number>();
      await eventually('an end of all messages', async () => {
        waiting = await waitingMessages(connection);
        return waiting.size === 0 ? true : undefined;
      }).catch((error: unknown) => {
        throw new Error(`messages are stuck: ${JSON.stringify([...waiting])}`, { cause: error });
      });
    },
    params,
    residentBytes: () => residentBytes(platform.functions?.workerPid()),
    async close() {
      await platform.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
