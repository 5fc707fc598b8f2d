/** Every route of the HTTP API, called on a real platform and held against the OpenAPI document that it serves. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { administer } from './http-api/administration.ts';
import { askForData } from './http-api/data.ts';
import { askForModels } from './http-api/model.ts';
import { start, type Started } from './http-api/started.ts';

const started = {} as Started;

beforeAll(async () => void Object.assign(started, await start()), 180_000);
afterAll(() => started.close(), 60_000);

describe('every answer is what the OpenAPI document promises', () => {
  askForData(started);
  askForModels(started);
  administer(started);

  test('no operation was left out', () => {
    for (const { operationId } of started.operations) {
      const statuses = [...(started.api.reached.get(operationId) ?? [])];
      expect(
        statuses.some((status) => status < 300),
        operationId,
      ).toBe(true);
    }
  });
});
