/** What the app registered, checked as strictly as the real host does, and with what this host cannot do refused. */
import { z } from 'zod';
import type { ReportedFunction } from './protocol.ts';

const httpTrigger = z.object({
  type: z.literal('httpTrigger'),
  name: z.string(),
  methods: z.array(z.string().toUpperCase()).default([]),
  route: z.string().optional(),
  authLevel: z
    .string()
    .toLowerCase()
    .pipe(z.enum(['anonymous', 'function', 'admin']))
    .default('function'),
});
const serviceBusTrigger = z.object({
  type: z.literal('serviceBusTrigger'),
  name: z.string(),
  connection: z.string().min(1),
  queueName: z.string().min(1),
  cardinality: z.literal('one', 'batches (cardinality many) are not supported').optional(),
  isSessionsEnabled: z.literal(false, 'sessions are not supported').optional(),
  autoCompleteMessages: z.boolean().optional(),
  dataType: z.enum(['string', 'binary', 'stream']).optional(),
});
const timerTrigger = z.object({
  type: z.literal('timerTrigger'),
  name: z.string(),
  schedule: z.string().min(1),
  runOnStartup: z.boolean().default(false),
  useMonitor: z.boolean().default(true),
});
const trigger = z.discriminatedUnion('type', [httpTrigger, serviceBusTrigger, timerTrigger]);

export type HttpTrigger = z.infer<typeof httpTrigger>;
export type ServiceBusTrigger = z.infer<typeof serviceBusTrigger>;
export type TimerTrigger = z.infer<typeof timerTrigger>;
export interface RegisteredFunction<T = z.infer<typeof trigger>> {
  name: string;
  trigger: T;
}

/** Rules of the real host (Utility.cs): letters of either case, and `host` is taken. */
const functionName = /^(?!host$)[a-z][a-z0-9_-]{0,127}$/i;
const bindingName = /^(?:[a-zA-Z][a-zA-Z0-9]{0,127}|\$return)$/;
/** What the host itself brings; all else is in the extension bundle. */
const builtIn = new Set(['httptrigger', 'http', 'timertrigger']);
const anyBinding = z.looseObject({ name: z.string().regex(bindingName), type: z.string() });

/**
 * Throws the real host's words when functions use what only an extension bundle brings and host.json names none. The
 * real host starts the other functions all the same, so that the app looks well and no queue is ever read: this one does
 * not start.
 */
export function checkExtensions(reported: ReportedFunction[], hasExtensionBundle: boolean): void {
  if (hasExtensionBundle) return;
  const inError = reported.flatMap(({ name, rawBindings }) => {
    const types = rawBindings.map((raw) => anyBinding.parse(JSON.parse(raw)).type);
    const unknown = types.filter((type) => !builtIn.has(type.toLowerCase()));
    const said = `The binding type(s) '${unknown.join(', ')}' are not registered. Please ensure the type is correct and the binding extension is installed.`;
    return unknown.length === 0 ? [] : [`${name}: ${said}`];
  });
  if (inError.length === 0) return;
  throw new Error(
    `The following ${inError.length} functions are in error:\n${inError.join('\n')}\nhost.json has no extensionBundle, so that the host knows HTTP and timers only`,
  );
}

function checkFunction(reported: ReportedFunction): RegisteredFunction {
  if (!functionName.test(reported.name)) throw new Error('is no valid function name');
  const bindings = reported.rawBindings.map((raw) => anyBinding.parse(JSON.parse(raw)));
  const triggers = bindings.filter((binding) => binding.type.toLowerCase().endsWith('trigger'));
  const [only] = triggers;
  if (!only || triggers.length > 1) throw new Error(`has ${triggers.length} triggers, expected one`);
  const other = bindings.find((binding) => binding !== only && binding.type !== 'http');
  if (other) throw new Error(`has a ${other.type} binding; the local host has triggers only, no inputs or outputs`);
  const parsed = trigger.safeParse(only);
  if (!parsed.success) throw new Error(`(${only.type}): ${z.prettifyError(parsed.error)}`);
  return { name: reported.name, trigger: parsed.data };
}

/** Checks all functions of an app; throws naming the function at fault. Names must differ in more than case. */
export function checkFunctions(reported: ReportedFunction[]): RegisteredFunction[] {
  const seen = new Set<string>();
  return reported.map((one) => {
    try {
      if (seen.has(one.name.toLowerCase())) throw new Error('is registered twice');
      seen.add(one.name.toLowerCase());
      return checkFunction(one);
    } catch (error) {
      throw new Error(`function '${one.name}' ${(error as Error).message}`, { cause: error });
    }
  });
}

/**
 * Compares the registered names with the expected ones; throws listing the difference.
 * No function at all is an error too: Azure would start such an app and serve nothing.
 */
export function checkNames(registered: RegisteredFunction[], expected: string[] | undefined): void {
  const names = registered.map((one) => one.name);
  if (names.length === 0) {
    throw new Error(
      'the app registered no functions: is @azure/functions-core external in the bundle, with a createRequire banner?',
    );
  }
  if (!expected) return;
  const missing = expected.filter((name) => !names.includes(name));
  const unexpected = names.filter((name) => !expected.includes(name));
  if (missing.length + unexpected.length > 0) {
    throw new Error(
      `the app registered other functions than expected; missing: ${missing.join(', ') || 'none'}; unexpected: ${unexpected.join(', ') || 'none'}`,
    );
  }
}

/** The functions to run: all, or those named (a scale group of Flex Consumption). Throws for a name nobody registered. */
export function selectFunctions(registered: RegisteredFunction[], names: string[] | undefined): RegisteredFunction[] {
  if (!names) return registered;
  const unknown = names.filter((name) => !registered.some((one) => one.name === name));
  if (unknown.length > 0) throw new Error(`no such function: ${unknown.join(', ')}`);
  return registered.filter((one) => names.includes(one.name));
}
