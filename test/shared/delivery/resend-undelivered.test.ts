import { ServiceBusClient } from '@azure/service-bus';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { resendUndelivered } from '../../../shared/delivery/resend-undelivered.ts';
import { connect } from '../../../shared/azure/connect.ts';
import { readConfig } from '../../../shared/config.ts';
import type { Ports } from '../../../shared/ports.ts';
import type { QueueName } from '../../../shared/resources.ts';
import { type LocalServices, startServices } from '../../services.ts';

let services: LocalServices;
let ports: Ports;
let bus: ServiceBusClient;

beforeAll(async () => {
  services = await startServices();
  ports = connect(readConfig(services.platform.settings));
  bus = new ServiceBusClient(services.platform.settings['SERVICEBUS'] ?? '');
});
afterAll(async () => {
  await bus.close();
  await services.close();
});

/** As Event Grid writes it, with what it adds to an event that it gave up on. */
const event = (container: string, blob: string) => ({
  id: `id-of-${blob}`,
  source: '/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a',
  specversion: '1.0',
  type: 'Microsoft.Storage.BlobCreated',
  subject: `/blobServices/default/containers/${container}/blobs/${blob}`,
  time: '2027-01-04T18:11:00.6846126Z',
  data: {
    api: 'PutBlob',
    eTag: '0x8D4BCC2E4835CD0',
    contentLength: 524_288,
    url: `https://a.example/${container}/${blob}`,
  },
  deadletterreason: 'UndeliverableDueToClientError',
  deliveryattempts: 1,
  lastdeliveryoutcome: 'Forbidden',
  publishtime: '2027-01-04T18:11:01.0Z',
  lastdeliveryattempttime: '2027-01-04T18:11:02.0Z',
});

let blobs = 0;
const giveUpOn = (text: string) =>
  ports.blobs.create('undelivered', `BLOB-CREATED/2027/1/4/18/${blobs++}.json`, text, {
    contentType: 'application/json',
  });

async function received(queue: QueueName, count: number): Promise<unknown[]> {
  const receiver = bus.createReceiver(queue, { receiveMode: 'receiveAndDelete' });
  const messages = await receiver.receiveMessages(count, { maxWaitTimeInMs: 2000 });
  await receiver.close();
  return messages.map(({ body }) => body as unknown);
}

const deadLetters = async () =>
  (await ports.documents.query('dead-letters', { equals: { status: 'waiting' }, limit: 100 })).items.map(
    ({ document }) => document,
  );

test('undelivered events reach the queue of their container, and their blobs are gone', async () => {
  await giveUpOn(JSON.stringify([event('uploads', 'digits/7/a.png'), event('uploads', 'digits/7/b.png')]));
  await giveUpOn(JSON.stringify([event('job-reports', 'digits/run/token/000001.json')]));

  expect(await resendUndelivered(ports)).toBe(3);

  expect(await received('blob-created', 2)).toMatchObject([
    { subject: '/blobServices/default/containers/uploads/blobs/digits/7/a.png', data: { eTag: '0x8D4BCC2E4835CD0' } },
    { subject: '/blobServices/default/containers/uploads/blobs/digits/7/b.png' },
  ]);
  expect(await received('training-events', 1)).toMatchObject([{ id: 'id-of-digits/run/token/000001.json' }]);
  expect(await ports.blobs.list('undelivered', '', 10)).toEqual([]);
  expect(await resendUndelivered(ports)).toBe(0);
});

test('what is no event of ours becomes a dead letter that says why, and holds up nothing', async () => {
  await giveUpOn('not json');
  await giveUpOn(
    JSON.stringify([event('models', 'digits/x.onnx'), { nonsense: true }, event('uploads', 'digits/7/c.png')]),
  );

  expect(await resendUndelivered(ports)).toBe(1);

  expect(await received('blob-created', 1)).toMatchObject([{ id: 'id-of-digits/7/c.png' }]);
  const letters = await deadLetters();
  expect(letters.map(({ reason }) => reason)).toEqual(Array(3).fill('undeliverable-event'));
  const details = letters.map(({ detail }) => detail).sort();
  expect(details[0]).toMatch(/^It is not an array of events .* blob BLOB-CREATED\/2027\/1\/4\/18\/\d+\.json/);
  expect(details[1]).toMatch(/^No queue takes events of its container/);
  expect(details[2]).toMatch(/^specversion: /);
  expect(letters.find(({ detail }) => detail.startsWith('It is'))?.body).toBe('not json');
  expect(await ports.blobs.list('undelivered', '', 10)).toEqual([]);
});

test('events stay when the broker does not take them', async () => {
  await giveUpOn(JSON.stringify([event('uploads', 'digits/7/d.png')]));
  const broken = {
    ...ports,
    messages: { ...ports.messages, send: () => Promise.reject(new Error('the broker is away')) },
  };

  await expect(resendUndelivered(broken)).rejects.toThrow('the broker is away');

  expect(await ports.blobs.list('undelivered', '', 10)).toHaveLength(1);
  expect(await resendUndelivered(ports)).toBe(1);
});
