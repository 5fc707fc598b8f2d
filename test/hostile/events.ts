/** Storage events as they should never come. Expected: what the ingest stage makes of them. */
import type { HostileCase } from './case.ts';

const subject = '/blobServices/default/containers/uploads/blobs/digits/dark/a.png';
const event = {
  specversion: '1.0',
  id: 'e-1',
  source: '/subscriptions/s',
  type: 'Microsoft.Storage.BlobCreated',
  subject,
  time: '2026-03-02T00:00:00.1234567Z',
  data: { api: 'PutBlob', eTag: '0x1', url: 'https://a/b', contentLength: 5, sequencer: '01' },
};
const invalid = 'dead-letter invalid-message';
const elsewhere = 'dead-letter unexpected-subject';
const deepArray = JSON.parse(`${'['.repeat(60_000)}${']'.repeat(60_000)}`) as unknown;
const data = (change: object): object => ({ ...event, data: { ...event.data, ...change } });

const cases: [name: string, body: unknown, expected: string][] = [
  ['of a blob that is gone', event, 'superseded'],
  [
    'with fields of Azure that we do not know',
    { ...event, more: 1, data: { ...event.data, storageDiagnostics: {} } },
    'superseded',
  ],
  ['that says the file is empty', data({ contentLength: 0 }), 'superseded'],
  ['that says the file has 2^53 bytes', data({ contentLength: 2 ** 53 - 1 }), 'superseded'],
  ['with an etag of two hundred', data({ eTag: 'e'.repeat(200) }), 'superseded'],
  ['with quotes around its etag', data({ eTag: '"0x1"' }), 'superseded'],
  ['whose address is elsewhere: none is ever fetched', data({ url: 'http://169.254.169.254/metadata' }), 'superseded'],
  ['whose address is a file', data({ url: 'file:///etc/passwd' }), 'superseded'],
  ['with a type of six hundred', data({ contentType: 'x'.repeat(600) }), 'superseded'],
  ['with an address of ten thousand', data({ url: `https://a/${'%E7%8C%AB'.repeat(1110)}` }), 'superseded'],
  ['that is nested deeply where nobody looks', { ...event, more: deepArray }, 'superseded'],
  ['that is nothing', null, invalid],
  ['that is text', 'BlobCreated', invalid],
  ['that is bytes', Buffer.from([0xff, 0xfe, 0]), invalid],
  ['that is a number', 42, invalid],
  ['that is a list', [event], invalid],
  ['that is nested deeply and nothing else', deepArray, invalid],
  ['that is empty', {}, invalid],
  [
    'of the schema of Event Grid',
    { topic: 't', subject, eventType: event.type, id: 'e', data: event.data, dataVersion: '' },
    invalid,
  ],
  ['of another version', { ...event, specversion: '2.0' }, invalid],
  ['without an id', { ...event, id: '' }, invalid],
  ['with an id of 201', { ...event, id: 'i'.repeat(201) }, invalid],
  ['with an id that is a number', { ...event, id: 42 }, invalid],
  ['without a source', { ...event, source: undefined }, invalid],
  ['of another type', { ...event, type: 'Microsoft.Storage.BlobDeleted' }, invalid],
  ['of no day', { ...event, time: 'yesterday' }, 'superseded'],
  ['of the 31st of February', { ...event, time: '2026-02-31T00:00:00Z' }, 'superseded'],
  ['without data', { ...event, data: undefined }, invalid],
  ['whose data is a text', { ...event, data: JSON.stringify(event.data) }, invalid],
  ['without an etag', data({ eTag: '' }), invalid],
  ['with an etag of 201', data({ eTag: 'e'.repeat(201) }), invalid],
  ['of a negative size', data({ contentLength: -1 }), 'superseded'],
  ['of half a byte', data({ contentLength: 0.5 }), 'superseded'],
  ['of a size that is text', data({ contentLength: '5' }), 'superseded'],
  ['without an address', data({ url: undefined }), 'superseded'],
  ['with a subject of 5,000', { ...event, subject: subject + 'x'.repeat(5000) }, invalid],
  ['with a subject that is a list', { ...event, subject: [subject] }, invalid],
  ['with a trace of 61', { ...event, traceparent: 't'.repeat(61) }, 'superseded'],
  ['of no blob', { ...event, subject: '' }, elsewhere],
  ['of a container alone', { ...event, subject: '/blobServices/default/containers/uploads' }, elsewhere],
  ['of another container', { ...event, subject: subject.replace('uploads', 'models') }, elsewhere],
  ['of a container that is a way up', { ...event, subject: subject.replace('uploads', '../uploads') }, elsewhere],
  ['of a queue', { ...event, subject: '/queueServices/default/queues/uploads' }, elsewhere],
  ['of a blob whose name is a way up', { ...event, subject: subject.replace('digits', '../digits') }, 'quarantined'],
];

export const events: HostileCase<unknown>[] = cases.map(([name, input, expected]) => ({ name, input, expected }));
