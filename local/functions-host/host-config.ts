/** The part of host.json that this host obeys, with the defaults of Azure (Functions v4, Service Bus extension 5, Flex Consumption). */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';

const timeSpan = z.string().regex(/^\d{1,2}:[0-5]\d:[0-5]\d$/, 'expected hh:mm:ss');

/**
 * Where every trigger but HTTP and timers comes from, for apps that are not .NET. Bundle 4 is the one with support.
 * https://learn.microsoft.com/azure/azure-functions/extension-bundles
 */
const extensionBundle = z.object({
  id: z.literal('Microsoft.Azure.Functions.ExtensionBundle'),
  version: z
    .string()
    .regex(/^\[4\.(\*|\d+\.\d+), *5\.0\.0\)$/, 'expected [4.0.0, 5.0.0): this host stands for bundle 4'),
});

/** Strict where the real host ignores without a word: a misspelt limit would be no limit. */
const hostJson = z.strictObject({
  version: z.literal('2.0'),
  extensionBundle: extensionBundle.optional(),
  telemetryMode: z.enum(['ApplicationInsights', 'OpenTelemetry']).optional(),
  logging: z.looseObject({}).optional(),
  functionTimeout: z.union([z.literal('-1'), timeSpan]).default('00:30:00'),
  extensions: z
    .strictObject({
      http: z
        .strictObject({
          routePrefix: z.string().default('api'),
          // HttpOptionsSetup.cs of the real host sets a limit in the Windows Consumption plan alone
          maxOutstandingRequests: z.number().int().default(-1),
        })
        .prefault({}),
      serviceBus: z
        .strictObject({
          autoCompleteMessages: z.boolean().default(true),
          maxConcurrentCalls: z.number().int().min(1).max(2000).default(16),
          maxAutoLockRenewalDuration: timeSpan.default('00:05:00'),
        })
        .prefault({}),
    })
    .prefault({}),
});

export interface HostConfig {
  /** 0: no limit */
  functionTimeoutMs: number;
  /** without slashes at its ends; may be empty */
  routePrefix: string;
  /** whether triggers other than HTTP and timers are known */
  hasExtensionBundle: boolean;
  /** requests beyond this many in flight are answered 429; unlimited unless host.json says otherwise */
  maxOutstandingRequests: number;
  serviceBus: { autoComplete: boolean; maxConcurrentCalls: number; maxAutoLockRenewalMs: number };
}

/** `hh:mm:ss` in milliseconds; `-1` (no limit) is 0. */
function timeSpanMs(text: string): number {
  if (text === '-1') return 0;
  const [hours = 0, minutes = 0, seconds = 0] = text.split(':').map(Number);
  return ((hours * 60 + minutes) * 60 + seconds) * 1000;
}

/** Reads `host.json` of an app folder; rejects when it is missing or wrong. */
export async function readHostConfig(appRoot: string): Promise<HostConfig> {
  const file = path.join(appRoot, 'host.json');
  let json: unknown;
  try {
    json = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new Error(`cannot read ${file}: ${(error as Error).message}`, { cause: error });
  }
  const parsed = hostJson.safeParse(json);
  if (!parsed.success) throw new Error(`${file}: ${z.prettifyError(parsed.error)}`);
  const { functionTimeout, extensions } = parsed.data;
  return {
    functionTimeoutMs: timeSpanMs(functionTimeout),
    hasExtensionBundle: parsed.data.extensionBundle !== undefined,
    routePrefix: extensions.http.routePrefix.replaceAll(/^\/+|\/+$/g, ''),
    maxOutstandingRequests:
      extensions.http.maxOutstandingRequests < 0 ? Infinity : extensions.http.maxOutstandingRequests,
    serviceBus: {
      autoComplete: extensions.serviceBus.autoCompleteMessages,
      maxConcurrentCalls: extensions.serviceBus.maxConcurrentCalls,
      maxAutoLockRenewalMs: timeSpanMs(extensions.serviceBus.maxAutoLockRenewalDuration),
    },
  };
}
