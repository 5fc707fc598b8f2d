/** The platform that the routes are called on, with a project of digits and its first champion. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { vi } from 'vitest';
import * as z from 'zod';
import type { Platform } from '../../../local/platform.ts';
import { endpointView } from '../../../shared/api/views/endpoint.ts';
import type { Role } from '../../../shared/key/document.ts';
import { type Checker, createChecker, type Sent } from '../client.ts';
import { type Operation, readOperations } from '../contract.ts';
import { createDigits, digit, p } from '../digits.ts';
import { startWithKeys } from '../with-keys.ts';

/** A page of a listing. */
export const listShape = z.object({
  value: z.array(z.record(z.string(), z.unknown())),
  nextLink: z.string().optional(),
});

/** What the tests share; it is there once `start` has ended. */
export interface Started {
  platform: Platform;
  operations: Operation[];
  /** holds every answer against the description; with the operator's key */
  api: Checker;
  keys: Record<Role, string>;
  someImage: Buffer;
  /** the model in production */
  champion: () => Promise<number | undefined>;
  /** the first page of a listing */
  listOf(operationId: string, sent?: Sent): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

/** Starts a platform and waits until the first model is in production. */
export async function start(): Promise<Started> {
  const folder = await mkdtemp(path.join(tmpdir(), 'darkroom-api-'));
  const { platform, keys } = await startWithKeys(folder);
  const origin = platform.addresses.http ?? '';
  const operations = await readOperations(origin, keys.viewer);
  const api = createChecker(origin, operations, keys.operator);
  const champion = async (): Promise<number | undefined> =>
    endpointView.parse((await api.send('endpoint-get', { params: { project: p } })).json).production?.model;
  const someImage = await digit(4, 900);
  await createDigits(api);
  await vi.waitUntil(async () => (await champion()) === 1, { timeout: 90_000, interval: 300 });
  return {
    ...{ platform, keys, operations, api, someImage, champion },
    listOf: async (operationId, sent = {}) => listShape.parse((await api.send(operationId, sent)).json).value,
    async close() {
      await platform.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
