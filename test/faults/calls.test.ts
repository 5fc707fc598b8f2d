/** One call at a time: what the SDKs mend, and what a caller is told otherwise. Nothing is half done, nothing is made up. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RetryLater } from '../../shared/errors.ts';
import type { Message } from '../../shared/delivery/message.ts';
import type { Ports } from '../../shared/ports.ts';
import { faultKinds } from './faults.ts';
import { type FaultyPlatform, startFaultyPlatform } from './platform.ts';

let platform: FaultyPlatform;
let ports: Ports;
let made = 0;

beforeAll(async () => {
  platform = await startFaultyPlatform(await mkdtemp(path.join(tmpdir(), 'faults-')), 1, ['true']);
  ({ ports } = platform);
});
afterAll(async () => {
  await platform?.close();
  await rm(platform?.dataDir ?? '', { recursive: true, force: true });
});

/** silence is waited for in `npm run faults`: it takes half a minute */
const kinds = faultKinds.filter((kind) => kind !== 'silent');
const patient = { timeout: 120_000 };
const fresh = (): string => `f${++made}`;
const staged = (id: string, revision = 1) => ({ id, pk: 'p', stagedAt: '2026-01-01T00:00:00Z', revision });
const message = (): Message => ({
  ...{ specversion: '1.0', id: fresh(), source: '/darkroom', type: 'darkroom.canary.check', subject: 's' },
  data: { project: 'alpha', deployment: 'd' },
});

/** The result, or the one failure that handlers are made for; any other is a defect. */
const orLater = async <T>(service: string, work: Promise<T>): Promise<T | RetryLater> => {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof RetryLater)) throw error;
    expect(error.message).toContain(service);
    return error;
  }
};

/** each service has its own faults: the four are tried side by side */
describe('a fault on the way to a service', { concurrent: true }, () => {
  test.each(['documents'])('of %s', patient, async () => {
    const { documents } = ports;
    for (const kind of kinds) {
      const { faults } = platform;
      const [id, other] = [fresh(), fresh()];
      faults.documents.strike(kind);
      await orLater('The document store', documents.create('staged', staged(id)));
      const again = await documents.create('staged', staged(id, 1));
      expect(again === 'exists' ? 1 : again.document.revision, kind).toBe(1);

      faults.documents.strike(kind);
      const read = await orLater('The document store', documents.read('staged', 'p', id));
      if (!(read instanceof RetryLater)) expect(read?.document, kind).toEqual(staged(id));
      faults.documents.strike(kind);
      const listed = await orLater('The document store', documents.query('staged', { pk: 'p', limit: 1000 }));
      if (!(listed instanceof RetryLater)) expect(listed.items.map(({ document }) => document.id)).toContain(id);

      const stored = await documents.read('staged', 'p', id);
      faults.documents.strike(kind);
      const batch = [
        { kind: 'create' as const, document: staged(other) },
        { kind: 'replace' as const, document: staged(id, 2), etag: stored?.etag ?? '' },
      ];
      await orLater('The document store', documents.batch('staged', 'p', batch));
      const [a, b] = [await documents.read('staged', 'p', id), await documents.read('staged', 'p', other)];
      expect(a?.document.revision === 2, `${kind}: all or nothing`).toBe(b !== undefined);
    }
  });

  test.each(['blobs'])('of %s', patient, async () => {
    const { blobs } = ports;
    const body = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7) % 256));
    for (const kind of kinds) {
      const { faults } = platform;
      const name = fresh();
      faults.blobs.strike(kind);
      const created = await orLater('Blob storage', blobs.create('models', name, body));
      if (!(created instanceof RetryLater)) expect(await blobs.exists('models', name), kind).toBe(true);
      expect(['created', 'exists']).toContain(await blobs.create('models', name, body));
      faults.blobs.strike(kind);
      const read = await orLater('Blob storage', blobs.get('models', name, { maxBytes: 1_000_000 }));
      if (read instanceof RetryLater || read === 'too-large' || read === undefined)
        expect(read, kind).toBeInstanceOf(RetryLater);
      else expect(read.body.equals(body), kind).toBe(true);
    }
  });

  test.each(['messages'])('of %s', patient, async () => {
    for (const kind of kinds) {
      const { faults } = platform;
      const sent = [message(), message()];
      faults.messages.strike(kind);
      const answer = await orLater('The message broker', ports.messages.send('deployments', sent));
      if (answer instanceof RetryLater) await ports.messages.send('deployments', sent);
      const waiting = (await platform.waiting()).map((one) => one.id);
      for (const { id } of sent) expect(waiting, kind).toContain(id);
    }
  });

  test.each(['compute'])('of %s', patient, async () => {
    const { compute } = ports;
    for (const kind of kinds) {
      const { faults } = platform;
      const environment = { DARKROOM_RUN: fresh() };
      // reading the job's template comes first
      faults.compute.strike('latency', kind);
      const answer = await orLater('', compute.start(environment));
      const mine = (await compute.list()).filter((one) => one.environment['DARKROOM_RUN'] === environment.DARKROOM_RUN);
      expect(mine.length, kind).toBeLessThanOrEqual(1);
      if (!(answer instanceof RetryLater))
        expect(
          mine.map(({ name }) => name),
          kind,
        ).toEqual([answer.execution]);
      faults.compute.strike(kind);
      await orLater('', compute.list());
    }
  });
});

describe('a download that is cut off', () => {
  test('is no blob: it is read again, whole', async () => {
    const name = fresh();
    const body = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => (i * 13) % 251));
    await ports.blobs.create('models', name, body);
    const read = () => orLater('Blob storage', ports.blobs.get('models', name, { maxBytes: 4_000_000 }));
    platform.faults.blobs.strike('half-closed');
    expect(await read()).toBeInstanceOf(RetryLater);
    expect(await read()).toMatchObject({ body: expect.toSatisfy((found: Buffer) => found.equals(body)) });
  });

  test('is never put together of two versions', async () => {
    const name = fresh();
    const sizeBytes = 3_000_000;
    await ports.blobs.create('models', name, Buffer.alloc(sizeBytes, 1));
    platform.faults.blobs.strike('half-closed');
    const stream = await ports.blobs.stream('models', name);
    // the cut comes after the first half was read
    await platform.direct.blobs.overwrite('models', name, Buffer.alloc(sizeBytes, 2));
    const seen = new Set<number>();
    const reading = (async () => {
      for await (const chunk of stream?.body ?? []) for (const byte of new Set(chunk)) seen.add(byte);
    })();
    await expect(reading).rejects.toThrow();
    expect([...seen]).toEqual([1]);
  });
});
