/** Parsers of names, messages, documents and settings. */
import * as fc from 'fast-check';
import * as z from 'zod';
import { resendUndelivered } from '../../shared/delivery/resend-undelivered.ts';
import { recordDeadLetter } from '../../shared/delivery/record-dead-letter.ts';
import { keyId } from '../../shared/key/secret.ts';
import { refusal } from '../../shared/azure/arm-refusal.ts';
import { containerApps } from '../../shared/azure/container-apps.ts';
import { cosmosDocuments } from '../../shared/azure/documents.ts';
import { readConfig, settingNames } from '../../shared/config.ts';
import { directoryObject, relativePath } from '../../shared/dataset/dvc.ts';
import { RetryLater, TerminalError } from '../../shared/errors.ts';
import { queueMessages } from '../../shared/delivery/message.ts';
import { className, projectName, unassignedProject } from '../../shared/names.ts';
import { projectSettings } from '../../shared/project/settings.ts';
import { queueNames } from '../../shared/resources.ts';
import { classifierLine } from '../../shared/task/classification/manifest.ts';
import { jobDocument, jobReport, smokeFile } from '../../shared/training/job-contract.ts';
import { readReport } from '../../shared/training/read-report.ts';
import { eventOfReport } from '../../shared/training/event-of-report.ts';
import { blobOf, readUploadName } from '../../shared/upload/name.ts';
import { createFakes } from '../simulation/fakes.ts';
import { classification } from '../../shared/task/classification/classification.ts';
import { fromFolder, fromMetadata } from '../../shared/task/classification/from-upload.ts';
import { sample } from '../shared/dataset/samples.ts';
import { events } from './events.ts';
import { type Parser, parser } from './fuzz.ts';
import { messages } from './messages.ts';
import { anyBytes, damaged } from './mutate.ts';
import { reports } from './reports.ts';

const odd = fc.constantFrom(
  '..',
  '.',
  '/',
  '\\',
  '\0',
  '%2e',
  '__proto__',
  'constructor',
  '\ud800',
  '\ufffe',
  '猫',
  '',
);
const text = fc.oneof(
  fc.string({ maxLength: 60, unit: 'binary' }),
  fc.array(fc.oneof(odd, fc.string({ maxLength: 5 })), { maxLength: 8 }).map((parts) => parts.join('/')),
);
const json = fc.jsonValue({ maxDepth: 4 });
/** The values as JSON, without those that are long or nested too deeply to write. */
const jsonBytes = (values: readonly unknown[]): Buffer[] =>
  values.flatMap((value) => {
    try {
      const bytes = Buffer.from(JSON.stringify(value) ?? 'null');
      return bytes.length < 5000 ? [bytes] : [];
    } catch {
      return [];
    }
  });

/** JSON of one of these, damaged as bytes; what is still JSON is handed on. */
const damagedJson = (values: readonly unknown[]): fc.Arbitrary<unknown> =>
  fc.oneof(
    json,
    damaged(jsonBytes(values)).map((bytes): unknown => {
      try {
        return JSON.parse(bytes.toString('utf8'));
      } catch {
        return bytes.toString('utf8');
      }
    }),
  );

/** A schema answers; what it accepts it accepts again as the same. */
function schema(type: z.ZodType, value: unknown): void {
  const first = type.safeParse(value);
  if (!first.success) return;
  const again = type.safeParse(first.data);
  if (!again.success || JSON.stringify(again.data) !== JSON.stringify(first.data))
    throw new Error('what was read is read otherwise the next time');
}

const job = {
  ...{ run: 'r', project: 'digits', token: 't', attempt: 1, manifestUrl: 'http://a/b', classes: ['a', 'b'] },
  ...{ image: { width: 8, height: 8, channels: 1 }, trainer: { name: 'softmax', parameters: { rate: 0.1 } }, seed: 1 },
  ...{ datasetVersion: 'v', deadline: '2026-03-01T00:00:00Z', heartbeatSeconds: 10, cancelRequested: false },
  outputs: { 'model.onnx': 'http://a/m', 'metrics.json': 'http://a/n', 'smoke.json': 'http://a/s' },
  reports: { urlTemplate: 'http://a/{sequence}.json?x', maximum: 5 },
};
const smoke = [{ md5: 'a'.repeat(32), probabilities: [0.5, 0.5] }];
const line = { url: 'http://a/b', md5: 'a'.repeat(32), label: 'a', split: 'train' };

function isClass(label: string): void {
  if (className.safeParse(label).data !== label) throw new Error(`label ${label}`);
}

function uploadName(name: string): void {
  const { project, folder, problem } = readUploadName(name);
  if (project !== unassignedProject && !projectName.safeParse(project).success) throw new Error(`project ${project}`);
  if (folder !== null && problem !== null) throw new Error(`folder ${folder}`);
  const read = fromFolder(folder ?? '');
  if ('annotation' in read) isClass(read.annotation.label);
  const blob = blobOf(`/blobServices/default/containers/uploads/blobs/${name}`);
  if (name !== '' && blob?.name !== name) throw new Error('the name is another one in the event');
}

function metadata(given: Record<string, string>): void {
  const read = fromMetadata(given);
  if (read !== undefined && 'annotation' in read) isClass(read.annotation.label);
}

async function report(body: Buffer): Promise<void> {
  const { blobs } = createFakes().ports;
  await blobs.create('job-reports', 'p/r/t/000001.json', body);
  try {
    const read = await readReport({ blobs }, 'p/r/t/000001.json');
    if (read !== undefined) eventOfReport(read, 't', new Date(0));
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error;
  }
}

async function undelivered(body: Buffer): Promise<void> {
  const world = createFakes();
  await world.ports.blobs.create('undelivered', 'a', body);
  const sent = await resendUndelivered(world.ports);
  if ((await world.ports.blobs.list('undelivered', '', 10)).length > 0) throw new Error('it is kept');
  if (world.sent.length !== sent) throw new Error('it sent other than it says');
}

async function deadLetter(body: unknown): Promise<void> {
  const world = createFakes();
  await recordDeadLetter(world.ports, 'evaluations', { body, reason: 'r', detail: 'd' });
  const [letter] = world.all('dead-letters');
  if (letter === undefined || Buffer.byteLength(JSON.stringify(letter)) > 1e6)
    throw new Error('no letter, or a huge one');
}

const secret = 'AccountKey-that-nobody-may-read';
const setting = fc.oneof(
  fc.constant(undefined),
  fc.constant(`Endpoint=sb://x/;SharedAccessKey=${secret}`),
  fc.webUrl(),
  text,
);
function config(values: (string | undefined)[]): void {
  const environment = Object.fromEntries(settingNames.map((name, i) => [name, values[i]]));
  try {
    readConfig(environment);
  } catch (error) {
    const message = error instanceof Error ? error.message : '';
    if (!message.startsWith('Settings are incomplete')) throw error;
    if (message.includes(secret)) throw new Error('the error shows a secret', { cause: error });
  }
}

/** No database is asked: what an ordered listing makes of a continuation is decided before. */
const nothing = { items: { query: () => ({ fetchAll: () => Promise.resolve({ resources: [] }) }) } };
const listing = cosmosDocuments({ container: () => nothing } as never);
async function continuation(given: string): Promise<void> {
  try {
    await listing.query('uploads', {
      orderBy: { field: 'receivedAt', descending: true },
      limit: 1,
      continuation: given,
    });
  } catch (error) {
    if (!(error instanceof TerminalError && error.code === 'invalid-continuation')) throw error;
  }
}

function dvc(labels: string[]): void {
  const records = labels.filter((l) => className.safeParse(l).success).map((label, n) => sample(n, label));
  const paths = records.map((record) => relativePath(record, classification));
  for (const path of paths) {
    if (path.split('/').length !== 3 || path.includes('..')) throw new Error(`the path ${path}`);
  }
  const { bytes } = directoryObject(paths.map((relpath, n) => ({ md5: sample(n).md5, relpath })));
  z.array(z.strictObject({ md5: z.string(), relpath: z.string() }))
    .length(paths.length)
    .parse(JSON.parse(bytes.toString()));
}

function key(given: string): void {
  const id = keyId(given);
  if (id !== undefined && !/^[0-9a-f]{64}$/.test(id)) throw new Error(`the id ${id}`);
}

function armRefusal([status, body]: [number, unknown]): void {
  const error = refusal(containerApps, 'The start', status, body);
  if (!(error instanceof TerminalError || error instanceof RetryLater)) throw new Error('another error');
  if (error.message.length > 5000) throw new Error(`a message of ${error.message.length} characters`);
}

/** Parsers of messages, requests and names. */
export function textParsers(): Parser[] {
  const bodies = [...events.map(({ input }) => input), ...messages.map(({ input }) => input.body)];
  const told = reports.map(({ input }) => Buffer.from(input.body)).filter(({ length }) => length < 5000);
  const settings = [projectSettings.parse({}), { classes: ['a', 'b'], deploy: { canary: null } }];
  return [
    parser('messages', damagedJson(bodies), (value) => {
      for (const queue of queueNames) schema(queueMessages[queue], value);
    }),
    parser('undelivered events', damaged(jsonBytes(bodies.map((one) => [one]))), undelivered, 0.5),
    parser('dead letters', fc.oneof(damagedJson(bodies), fc.anything()), deadLetter, 0.5),
    parser('names of uploads', text, uploadName),
    parser('metadata', fc.dictionary(fc.constantFrom('label', 'Label', 'x'), text), metadata),
    parser('job reports', fc.oneof(damaged(told), anyBytes(told)), report),
    parser('documents of jobs', damagedJson([job, smoke, line, ...told.map(String)]), (value) => {
      for (const type of [jobDocument, jobReport, classifierLine, smokeFile]) schema(type, value);
    }),
    parser('settings of a project', damagedJson(settings), (value) => schema(projectSettings, value)),
    parser('settings of the process', fc.array(setting, { minLength: 14, maxLength: 14 }), config),
    parser(
      'continuations',
      fc.oneof(
        text,
        json.map((value) => JSON.stringify(value)),
      ),
      continuation,
    ),
    parser(
      'paths for DVC',
      fc.array(fc.oneof(text, fc.string({ maxLength: 6, unit: 'grapheme' })), { maxLength: 9 }),
      dvc,
    ),
    parser(
      'API keys',
      fc.oneof(
        text,
        fc.string({ minLength: 43, maxLength: 43 }).map((s) => `dk_${s}`),
      ),
      key,
    ),
    parser('refusals of ARM', fc.tuple(fc.integer({ min: 100, max: 599 }), fc.oneof(json, text)), armRefusal),
  ];
}
