import { expect, test } from 'vitest';
import { inTermsOfTheEnvironment, readEnvironment } from '../../local/environment.ts';

const usual = {
  DARKROOM_DATA: '.darkroom',
  DARKROOM_HTTP_PORT: 7071,
  DARKROOM_BLOB_PORT: 10_000,
  DARKROOM_SERVICEBUS_PORT: 5672,
  DARKROOM_COSMOS_PORT: 8081,
  DARKROOM_ARM_PORT: 7072,
  DARKROOM_INSIGHTS_PORT: 7073,
  DARKROOM_TRAINERS: new Map(),
};

test('what is empty or not set has its usual value', () => {
  expect(readEnvironment({})).toEqual(usual);
  expect(readEnvironment({ DARKROOM_DATA: '', DARKROOM_HTTP_PORT: '' })).toEqual(usual);
  expect(readEnvironment({ DARKROOM_HTTP_PORT: '0', DARKROOM_ARM_PORT: '65535' })).toEqual({
    ...usual,
    ...{ DARKROOM_HTTP_PORT: 0, DARKROOM_ARM_PORT: 65_535 },
  });
});

test.each(['abc', ' ', '-1', '65536', '70.5', '0x10', '1e3'])('"%s" is no port, and it is said what one is', (text) => {
  expect(() => readEnvironment({ DARKROOM_BLOB_PORT: text })).toThrow(
    `DARKROOM_BLOB_PORT: "${text}" is no port: a port is a whole number from 1 to 65535, or 0 for any free one`,
  );
});

test('settings are named as the environment has them', () => {
  expect(inTermsOfTheEnvironment('change ports.serviceBus (--port) or ports.http')).toBe(
    'change DARKROOM_SERVICEBUS_PORT or DARKROOM_HTTP_PORT',
  );
  expect(inTermsOfTheEnvironment('choose another folder with dataDir')).toBe(
    'choose another folder with DARKROOM_DATA',
  );
});
