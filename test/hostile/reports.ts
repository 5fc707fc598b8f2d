/**
 * Reports of jobs. Expected: what the stage makes of each; `ignored` and dead letters change nothing of the run.
 * `{run}` and `{token}` in a name stand for the right ones.
 */
import type { HostileCase } from './case.ts';

export interface Report {
  /** behind `job-reports/` */
  name: string;
  body: string | Buffer;
  /** no blob lies there */
  absent?: boolean;
}

const told = { sequence: 1, at: '2026-03-01T00:00:00Z', execution: 'trainer-9' };
const beat = { ...told, kind: 'heartbeat' };
const output = { sha256: 'a'.repeat(64), sizeBytes: 1 };
const outputs = { 'model.onnx': output, 'metrics.json': output, 'smoke.json': output };
const right = 'digits/{run}/{token}/000001.json';
const bad = 'dead-letter bad-report';
const badName = 'dead-letter bad-report-name';

const contents: [name: string, body: unknown, expected: string][] = [
  ['nothing', '', bad],
  ['text', 'started', bad],
  ['half of JSON', '{"kind":"started"', bad],
  ['UTF-16', Buffer.from(JSON.stringify(beat), 'utf16le'), bad],
  [
    'bytes that are no UTF-8',
    Buffer.concat([Buffer.from('{"kind":"failed","reason":"'), Buffer.of(0xff), Buffer.from('"}')]),
    bad,
  ],
  ['NULs', Buffer.alloc(1000), bad],
  ['null', null, bad],
  ['a list', [beat], bad],
  ['a hundred thousand open brackets', '['.repeat(100_000), bad],
  ['deep objects', `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`, bad],
  ['more than 256 KB', { ...beat, more: 'x'.repeat(300_000) }, 'dead-letter report-too-large'],
  ['no kind', told, bad],
  ['a kind that is none', { ...told, kind: 'registered' }, bad],
  ['a kind that is a prototype', { ...told, kind: '__proto__' }, bad],
  ['another number than its name', { ...beat, sequence: 2 }, bad],
  ['number zero', { ...beat, sequence: 0 }, bad],
  ['a number as text', { ...beat, sequence: '1' }, bad],
  ['a number beyond the last', { ...beat, sequence: 1_000_000 }, bad],
  ['no time', { ...beat, at: 'now' }, bad],
  ['no execution', { ...beat, execution: '' }, bad],
  ['an execution of 201', { ...beat, execution: 'x'.repeat(201) }, bad],
  ['progress beyond its end', { ...beat, progress: { phase: 'train', done: -1, total: 5 } }, bad],
  ['a phase of 41', { ...beat, progress: { phase: 'x'.repeat(41), done: 1, total: 5 } }, bad],
  [
    'too many metrics',
    { ...beat, metrics: Array.from({ length: 1001 }, () => ({ key: 'a', value: 1, step: 1 })) },
    bad,
  ],
  ['a metric that is no number', { ...beat, metrics: [{ key: 'loss', value: 'NaN', step: 1 }] }, bad],
  [
    'a metric beyond numbers',
    `{"kind":"heartbeat","sequence":1,"at":"2026-03-01T00:00:00Z","execution":"x","metrics":[{"key":"a","value":1e999,"step":1}]}`,
    bad,
  ],
  ['a metric named like HTML', { ...beat, metrics: [{ key: '<script>', value: 1, step: 1 }] }, bad],
  ['a machine of no threads', { ...told, kind: 'started', machine: { executionProvider: 'cpu', threads: 0 } }, bad],
  ['success without outputs', { ...told, kind: 'succeeded' }, bad],
  [
    'success with a digest that is none',
    { ...told, kind: 'succeeded', outputs: { ...outputs, 'model.onnx': { sha256: '../x', sizeBytes: 1 } } },
    bad,
  ],
  ['failure without a reason', { ...told, kind: 'failed', reason: '' }, bad],
  ['failure with a reason of 1,001', { ...told, kind: 'failed', reason: 'x'.repeat(1001) }, bad],
];

const names: [name: string, blob: string, expected: string][] = [
  ['under another token', 'digits/{run}/another/000001.json', 'ignored'],
  ['under the token in capitals', 'digits/{run}/{TOKEN}/000001.json', 'ignored'],
  ['under another run', 'digits/t-nobody/{token}/000001.json', 'ignored'],
  ['under another project', 'elsewhere/{run}/{token}/000001.json', 'ignored'],
  ['without a token', 'digits/{run}/000001.json', badName],
  ['with five digits', 'digits/{run}/{token}/00001.json', badName],
  ['with seven digits', 'digits/{run}/{token}/0000001.json', badName],
  ['with another ending', 'digits/{run}/{token}/000001.txt', badName],
  ['with something behind', 'digits/{run}/{token}/000001.json.exe', badName],
  ['with a folder more', 'digits/{run}/{token}/x/000001.json', badName],
  ['that is a way up', 'digits/{run}/../{token}/000001.json', badName],
  ['with a run that is a way up', 'digits/../{token}/000001.json', badName],
  ['with a token that is a way up', 'digits/{run}/../000001.json', badName],
  ['with a line break', 'digits/{run}/{token}/000001.json\n', badName],
  ['of a project in capitals', 'DIGITS/{run}/{token}/000001.json', badName],
  ['of a token of 81', `digits/{run}/${'x'.repeat(81)}/000001.json`, badName],
  ['of no report', 'x', badName],
];

const body = (content: unknown): string | Buffer =>
  typeof content === 'string' || Buffer.isBuffer(content) ? content : JSON.stringify(content);

export const reports: HostileCase<Report>[] = [
  ...contents.map(([name, content, expected]) => ({ name, input: { name: right, body: body(content) }, expected })),
  ...names.map(([name, blob, expected]) => ({
    name: `a good one ${name}`,
    input: { name: blob, body: body({ ...told, kind: 'succeeded', outputs }) },
    expected,
  })),
  { name: 'that is gone', input: { name: right, body: '', absent: true }, expected: 'gone' },
];
