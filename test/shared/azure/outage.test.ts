import { createServer } from 'node:net';
import { BlobServiceClient } from '@azure/storage-blob';
import { CosmosClient } from '@azure/cosmos';
import { ServiceBusClient } from '@azure/service-bus';
import { expect, test } from 'vitest';
import { namingOutages } from '../../../shared/azure/outage.ts';
import { RetryLater } from '../../../shared/errors.ts';

/** A port of this machine where nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test('a storage account that nobody answers for is an outage with its name', async () => {
  const endpoint = `http://127.0.0.1:${await closedPort()}/account`;
  const client = new BlobServiceClient(endpoint, undefined, { retryOptions: { maxTries: 1 } });
  const port = namingOutages('Blob storage', { read: () => client.getProperties() });
  await expect(port.read()).rejects.toThrow(RetryLater);
  await expect(port.read()).rejects.toThrow(/^Blob storage did not answer \(.*\); it is tried again\.$/);
});

test('a document store that nobody answers for is an outage', async () => {
  const client = new CosmosClient({
    endpoint: `http://127.0.0.1:${await closedPort()}`,
    key: 'a2V5',
    connectionPolicy: { enableEndpointDiscovery: false, retryOptions: { maxRetryAttemptCount: 0 } },
  } as ConstructorParameters<typeof CosmosClient>[0] & object);
  const { items } = client.database('d').container('c');
  const batch = [{ operationType: 'Create' as const, resourceBody: { id: '1', pk: 'p' } }];
  const port = namingOutages('The document store', {
    read: () => client.database('d').read(),
    batch: () => items.batch(batch, 'p'),
  });
  await expect(port.read()).rejects.toThrow(RetryLater);
  await expect(port.batch()).rejects.toThrow(RetryLater);
}, 30_000);

test('what an adapter puts off is an outage of its service, with what the service said', async () => {
  const asked = new RetryLater('busy', { code: 'compute-throttled', afterSeconds: 30 });
  const port = namingOutages('Compute', { start: () => Promise.reject(asked) });
  await expect(port.start()).rejects.toMatchObject({
    ...{ message: 'busy', code: 'compute-throttled', afterSeconds: 30, service: 'Compute' },
  });
});

test('a defect stays a defect', async () => {
  const defect = new TypeError('cannot read properties of undefined');
  const port = namingOutages('Compute', {
    start: () => {
      throw defect;
    },
  });
  await expect(port.start()).rejects.toBe(defect);
});

test('what a service refuses is not an outage, what it fails at is', async () => {
  const answering = (status: number) =>
    namingOutages('Compute', {
      start: () => Promise.reject(Object.assign(new Error(`status ${status}`), { statusCode: status })),
    });
  for (const status of [400, 404, 409, 412])
    await expect(answering(status).start()).rejects.not.toBeInstanceOf(RetryLater);
  for (const status of [408, 429, 500, 503])
    await expect(answering(status).start()).rejects.toMatchObject({ name: 'RetryLater', service: 'Compute' });
  // a role that was just assigned does not work yet: that passes, or is for a person to mend
  for (const status of [401, 403])
    await expect(answering(status).start()).rejects.toMatchObject({
      ...{ name: 'RetryLater', code: 'access-refused', service: undefined },
    });
});

test.each([
  ['a request that was given up', Object.assign(new Error('The operation was aborted.'), { name: 'AbortError' })],
  ['an answer that ended in its middle', Object.assign(new Error('aborted'), { code: 'PARSE_ERROR' })],
  [
    'an identity that gets no token',
    Object.assign(new Error('Network unreachable'), { name: 'CredentialUnavailableError' }),
  ],
  [
    'a batch whose request broke',
    new Error('Batch request error', { cause: Object.assign(new Error('reset'), { code: 'ECONNRESET' }) }),
  ],
  [
    'a schedule that was tried several times',
    new AggregateError([Object.assign(new Error('busy'), { code: 'ServiceBusy' })], ''),
  ],
])('%s is an outage', async (_what, error) => {
  const port = namingOutages('Something', { call: () => Promise.reject(error) });
  await expect(port.call()).rejects.toThrow(/^Something did not answer \(.+\); it is tried again\.$/);
});

test.each([
  [
    'a message that is too large, which its SDK calls retryable',
    Object.assign(new Error('too big'), { code: 'MessageSizeExceeded', retryable: true }),
  ],
  ['several tries of which one met a defect', new AggregateError([new TypeError('defect')], '')],
])('%s is none', async (_what, error) => {
  const port = namingOutages('Something', { call: () => Promise.reject(error) });
  await expect(port.call()).rejects.toBe(error);
});

test('a broker where nobody listens, or that ends while a connection to it is opened, is an outage', async () => {
  const broken = createServer((socket) => setTimeout(() => socket.destroy(), 20));
  await new Promise<void>((resolve) => broken.listen(0, '127.0.0.1', resolve));
  const { port: breaking } = broken.address() as { port: number };
  for (const at of [await closedPort(), breaking]) {
    const address = `Endpoint=sb://127.0.0.1:${at};SharedAccessKeyName=local;SharedAccessKey=local;UseDevelopmentEmulator=true`;
    const client = new ServiceBusClient(address, { retryOptions: { maxRetries: 0, timeoutInMs: 2000 } });
    const port = namingOutages('The message broker', {
      send: () => client.createSender('evaluations').sendMessages({ body: 'x' }),
    });
    await expect(port.send()).rejects.toThrow(RetryLater);
    await client.close();
  }
  broken.close();
  const ended = Object.assign(new Error('Unknown error encountered.'), { retryable: false });
  await expect(namingOutages('The message broker', { send: () => Promise.reject(ended) }).send()).rejects.toThrow(
    RetryLater,
  );
}, 30_000);
