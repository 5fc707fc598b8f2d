import { describe, expect, test } from 'vitest';
import { plainWords, refusal } from '../../../shared/azure/arm-refusal.ts';
import { containerApps } from '../../../shared/azure/container-apps.ts';
import { TerminalError } from '../../../shared/errors.ts';

const body = (code: string, message: string, details?: object[]) => ({
  error: { code, message, ...(details === undefined ? {} : { details }) },
});

describe('a refusal by Azure', () => {
  test.each([
    [409, body('MissingSubscriptionRegistration', 'not registered'), 'provider-not-registered', false],
    [409, body('ReadOnlyDisabledSubscription', 'is disabled'), 'subscription-disabled', false],
    [403, body('RequestDisallowedByPolicy', 'was disallowed'), 'policy-forbids', false],
    [403, body('AuthorizationFailed', 'does not have authorization'), 'compute-forbidden', true],
    [401, '', 'compute-forbidden', true],
    [404, body('ResourceNotFound', 'was not found'), 'compute-missing', false],
    [400, body('QuotaExceeded', 'Operation could not be completed'), 'compute-quota', true],
    [400, body('X', 'Maximum Allowed Cores exceeded for the Managed Environment.'), 'compute-quota', true],
    [409, body('SkuNotAvailable', 'currently not available'), 'compute-capacity', true],
    [
      400,
      body('InvalidParameterValueInContainerTemplate', "'x.image' is invalid: MANIFEST_UNKNOWN: manifest unknown"),
      'image-missing',
      false,
    ],
    [
      400,
      body('InvalidParameterValueInContainerTemplate', 'unable to pull image using Managed identity'),
      'image-pull',
      true,
    ],
    [429, '', 'compute-throttled', true],
    [
      409,
      body('DeploymentFailed', 'see details', [{ code: 'QuotaExceeded', message: 'NCasT4' }]),
      'compute-quota',
      true,
    ],
  ])('with %i and %j is %s, passing: %s', (status, answer, code, passes) => {
    const error = refusal(containerApps, 'Starting the training job', status, answer);
    expect(error.code).toBe(code);
    expect(error instanceof TerminalError).toBe(!passes);
  });

  test('that nobody knows is told as it came, may pass, and leaves open whether it took effect', () => {
    const error = refusal(containerApps, 'Starting the training job', 500, body('InternalServerError', 'oops'));
    expect(error.message).toBe('Starting the training job was refused: Azure answered 500, InternalServerError: oops');
    expect(error.code).toBeUndefined();
    expect(refusal(containerApps, 'It', 502, '<html>'.repeat(1000)).message.length).toBeLessThan(600);
  });
});

test('words about a machine that was taken back', () => {
  expect(plainWords(containerApps, 'The pod was preempted by the platform')?.code).toBe('preempted');
  expect(plainWords(containerApps, 'exit code 1')).toBeUndefined();
});
