/** Whether a trainer kept the contract, by what storage received and how the program ended. */
import { createHash } from 'node:crypto';
import { jobReport, type JobReport, outputNames, smokeFile } from '../../../shared/training/job-contract.ts';
import { placementOf } from '../../../shared/image/placement.ts';
import { toTensor } from '../../../shared/image/tensor.ts';
import { walkStored } from '../../../shared/image/walk.ts';
import { batchOf, byImage } from '../../../shared/onnx/batch.ts';
import { floatsOf, floatTensor, openGraph } from '../../../shared/onnx/engine.ts';
import type { NamedTensors } from '../../../shared/onnx/ends.ts';
import { validateModel } from '../../../shared/onnx/validate.ts';
import { probeModel } from '../../../shared/onnx/probe.ts';
import { taskOf } from '../../../shared/task/task.ts';
import type { Attempt, Ended } from './attempt.ts';
import { picturePath, reportPath } from './job.ts';

/** A run that is silent for longer is given up: 120 s, where a heartbeat is asked for every 10 s (shared/training/diagnose.ts). */
const silentHeartbeats = 12;
const probeLimits = { timeoutMs: 30_000, maxMemoryBytes: 1024 ** 3 };
const probeChild = new URL('../../../shared/onnx/probe-child.ts', import.meta.url).pathname;

/** What was received as reports, in the order of their names. */
export function reportsOf({ storage, job }: Attempt): JobReport[] {
  const names = [...storage.blobs.keys()].filter((path) => path.startsWith(job.paths.reports)).sort();
  return names.flatMap((name) => {
    const parsed = jobReport.safeParse(parseJson(storage.blobs.get(name)));
    return parsed.success ? [parsed.data] : [];
  });
}

/** undefined where it is no JSON */
export function parseJson(text: Buffer | string | undefined): unknown {
  try {
    return JSON.parse(text?.toString() ?? '');
  } catch {
    return undefined;
  }
}

/** Samples that any report names as unreadable. */
export const unreadableOf = (attempt: Attempt): string[] =>
  reportsOf(attempt).flatMap(({ unreadable = [] }) => unreadable.map(({ md5 }) => md5));

export const outputsOf = ({ storage, job }: Attempt): string[] =>
  outputNames.filter((name) => storage.blobs.has(job.paths.outputs[name] ?? ''));

/** How often something was asked for that is not an answer made to go wrong. */
export const askedFor = ({ storage }: Attempt, method: string, prefix: string): number =>
  storage.answers.filter((one) => one.method === method && one.path.startsWith(prefix) && one.status !== 0).length;

/** What is wrong with the reports themselves: form, order, owner, silence. */
function wrongReports(attempt: Attempt): string[] {
  const { storage, job } = attempt;
  const wrong: string[] = [];
  const bodies = [...storage.blobs].filter(([path]) => path.startsWith(job.paths.reports));
  for (const [path, body] of bodies) {
    const parsed = jobReport.safeParse(parseJson(body));
    if (!parsed.success)
      wrong.push(
        `the report ${path} is none: ${parsed.error.issues[0]?.path.join('.')} ${parsed.error.issues[0]?.message}`,
      );
    else if (reportPath(job, parsed.data.sequence) !== path)
      wrong.push(`the report ${path} says sequence ${parsed.data.sequence}`);
  }
  const reports = reportsOf(attempt);
  reports.forEach((report, index) => {
    if (report.sequence !== index + 1)
      wrong.push(`report ${index + 1} is missing: the next has sequence ${report.sequence}`);
    const isEnd = report.kind === 'succeeded' || report.kind === 'failed';
    if (isEnd && index < reports.length - 1) wrong.push(`something was reported after ${report.kind}`);
    if ((report.kind === 'started') !== (index === 0) && !isEnd) wrong.push(`report ${index + 1} is ${report.kind}`);
  });
  if (new Set(reports.map(({ execution }) => execution)).size > 1) wrong.push('reports name more than one execution');
  return wrong.slice(0, 5);
}

/** Requests that were refused for how they were made, not because they were made to go wrong. */
function wrongRequests({ storage }: Attempt): string[] {
  const refused = storage.answers.filter(
    ({ status, code, troubled }) =>
      !troubled && status >= 400 && code !== storage.refusal.code && code !== 'BlobNotFound',
  );
  return refused
    .slice(0, 3)
    .map(({ method, path, status, code }) => `${method} ${path} was answered ${status} ${code}`);
}

/** The longest time without a report between the first and the end, in heartbeats. */
function silence({ storage, job }: Attempt): string[] {
  const times = storage.answers
    .filter(({ method, path, status }) => method === 'PUT' && path.startsWith(job.paths.reports) && status === 201)
    .map(({ atMs }) => atMs);
  const longest = Math.max(0, ...times.slice(1).map((at, index) => at - (times[index] ?? 0)));
  const heartbeats = longest / 1000 / job.document.heartbeatSeconds;
  return heartbeats > silentHeartbeats
    ? [
        `${(longest / 1000).toFixed(1)} s passed without a report, where one was asked for every ${job.document.heartbeatSeconds} s`,
      ]
    : [];
}

/** A model as it was said to be, that the backend would take: read, then run in a process of its own. */
async function wrongOutputs(attempt: Attempt, report: Extract<JobReport, { kind: 'succeeded' }>): Promise<string[]> {
  const { storage, job } = attempt;
  const wrong: string[] = [];
  const files = Object.fromEntries(outputNames.map((name) => [name, storage.blobs.get(job.paths.outputs[name] ?? '')]));
  for (const name of outputNames) {
    const bytes = files[name];
    const said = report.outputs[name];
    if (bytes === undefined) wrong.push(`${name} is missing`);
    else if (bytes.length !== said.sizeBytes || createHash('sha256').update(bytes).digest('hex') !== said.sha256)
      wrong.push(`${name} is not what the report says`);
  }
  const kind = taskOf({ task: job.document.task ?? '' });
  const ends = kind.ends(job.document.classes, job.document.image);
  const model = files['model.onnx'] ?? Buffer.alloc(0);
  const valid = validateModel(model, ends);
  if (!valid.ok) wrong.push(`model.onnx is refused: ${valid.reason}, ${valid.detail}`);
  else {
    const probed = await probeModel(model, ends, probeChild, probeLimits);
    if (!probed.ok) wrong.push(`model.onnx does not run: ${probed.reason}, ${probed.detail}`);
  }
  const metrics = parseJson(files['metrics.json']);
  if (typeof metrics !== 'object' || metrics === null) wrong.push('metrics.json is no object');
  const smoke = smokeFile.safeParse(parseJson(files['smoke.json']));
  const answer = kind.keptAnswer(job.document.classes);
  const kept = smoke.data?.map(({ md5, ...said }) => ({ md5, parsed: answer.safeParse(said) }));
  if (kept === undefined || kept.some(({ parsed }) => !parsed.success))
    wrong.push(`smoke.json has to be entries of md5 and ${kind.sayKeptAnswer(job.document.classes)}, or an empty list`);
  else if (valid.ok) {
    const answers = kept.map(({ md5, parsed }) => ({ ...parsed.data, md5 }));
    wrong.push(...(await departing(attempt, model, valid.metadata, answers)));
  }
  return wrong;
}

/** What the model does not answer as `smoke.json` says: pictures are read here as the backend reads them when it deploys. */
async function departing(
  { storage, job }: Attempt,
  model: Buffer,
  said: Record<string, string>,
  smoke: readonly { md5: string }[],
): Promise<string[]> {
  const { classes, image, task = '' } = job.document;
  const kind = taskOf({ task });
  const session = await openGraph(model, 1);
  try {
    for (const kept of smoke) {
      const bytes = storage.blobs.get(picturePath(kept.md5));
      if (bytes === undefined) return [`smoke.json names ${kept.md5}, which is no sample of the job`];
      const { data, dims } = batchOf([await toTensor(bytes, image)], image)['input'] as NamedTensors[string];
      const answers = await session.run({ input: floatTensor(data, dims) });
      const named = Object.entries(answers).map(([name, tensor]) => [
        name,
        { data: floatsOf(tensor), dims: tensor.dims },
      ]);
      const [outputs = {}] = byImage(Object.fromEntries(named) as NamedTensors, 1);
      const { width, height } = walkStored(bytes);
      const placement = placementOf({ width, height }, image);
      const departs = kind.departs(kept, { outputs, classes, metadata: kind.metadata.parse(said), placement });
      if (departs !== undefined) return [`model.onnx ${departs}, for the picture ${kept.md5}`];
    }
    return [];
  } finally {
    await session.release();
  }
}

export interface Expected {
  /** the last report; undefined: none of its own */
  last: 'succeeded' | 'failed' | 'succeeded or failed' | undefined;
  /** of a failure */
  reason?: RegExp;
  /** reports may be missing, and late: somebody was in the way of them */
  disturbed?: true;
}

/** Everything that is wrong with an attempt that was to end like this. */
export async function judge(
  attempt: Attempt,
  ended: Ended,
  { last: wanted, reason, disturbed }: Expected,
): Promise<string[]> {
  const wrong = [...wrongRequests(attempt)];
  if (ended.overdue) wrong.push('it did not end, and was killed');
  const last = reportsOf(attempt).at(-1);
  if (wanted !== undefined) {
    wrong.push(...(disturbed ? [] : [...wrongReports(attempt), ...silence(attempt)]));
    if (!last || !wanted.split(' or ').includes(last.kind))
      wrong.push(
        `its last report is ${last?.kind ?? 'missing'}${last?.kind === 'failed' ? ` (${last.reason})` : ''} and should be ${wanted}`,
      );
  }
  if (last?.kind === 'failed' && reason && !reason.test(last.reason)) wrong.push(`it failed because "${last.reason}"`);
  if (last?.kind === 'succeeded' && wanted?.includes('succeeded')) {
    wrong.push(...(await wrongOutputs(attempt, last)));
    if (ended.code !== 0 && !ended.overdue) wrong.push(`it ended with ${ended.code} after it had succeeded`);
  }
  return wrong.length === 0 ? [] : [...wrong, ...(ended.said === '' ? [] : [`it printed: ${ended.said.slice(-500)}`])];
}
