/**
 * The module `@azure/functions-core`, which exists only inside a Functions worker:
 * the worker of Azure hands it to the app through `Module.prototype.require`, and so does this one.
 */
import Module from 'node:module';
import type { InvocationRequest, LogLevel, TypedData } from './protocol.ts';

export type LogCategory = 'user' | 'system' | 'customMetric';
type HookCallback = (context: object) => unknown;
type HookName = 'preInvocation' | 'postInvocation' | 'appStart' | 'appTerminate' | 'log';
export type FunctionCallback = (...args: unknown[]) => unknown;

export interface FunctionMetadata {
  name: string;
  functionId?: string;
  bindings: Record<string, object>;
}

export interface CoreInvocationContext {
  invocationId: string;
  metadata: FunctionMetadata;
  request: InvocationRequest;
  state: 'preInvocationHooks' | 'invocation' | 'postInvocationHooks' | undefined;
  log(level: LogLevel, category: LogCategory, message: string): void;
}

interface InvocationModel {
  getArguments(): Promise<{ context: unknown; inputs: unknown[] }>;
  invokeFunction(context: unknown, inputs: unknown[], callback: FunctionCallback): Promise<unknown>;
  getResponse(context: unknown, result: unknown): Promise<{ returnValue?: TypedData | null }>;
}

interface ProgrammingModel {
  name: string;
  version: string;
  getInvocationModel(context: CoreInvocationContext): InvocationModel | Promise<InvocationModel>;
  getCapabilities(capabilities: Record<string, string>): Promise<Record<string, string>>;
}

/** What one app registered in this process. */
export interface App {
  functions: Map<string, { metadata: FunctionMetadata; callback: FunctionCallback }>;
  hooks: Record<HookName, HookCallback[]>;
  /** shared by all hooks */
  appHookData: object;
  /** shared by the appStart and appTerminate hooks only */
  appLevelHookData: object;
  model: ProgrammingModel | undefined;
  /** start-up has ended: registering now throws */
  locked: boolean;
}

/** An app with nothing registered yet. */
export function emptyApp(): App {
  return {
    functions: new Map(),
    hooks: { preInvocation: [], postInvocation: [], appStart: [], appTerminate: [], log: [] },
    appHookData: {},
    appLevelHookData: {},
    model: undefined,
    locked: false,
  };
}

class Disposable {
  #callback: (() => void) | undefined;
  constructor(callback: () => void) {
    this.#callback = callback;
  }
  dispose(): void {
    this.#callback?.();
    this.#callback = undefined;
  }
}

function systemError<E extends Error>(error: E): E {
  return Object.assign(error, { isAzureFunctionsSystemError: true });
}

function registerFunction(app: App, metadata: FunctionMetadata, callback: FunctionCallback): Disposable {
  if (app.locked) throw systemError(new Error('A function can only be registered during app startup.'));
  const id = metadata.functionId ?? metadata.name;
  // The real worker keeps functions on a plain object and asks `id in functions`: names of Object.prototype count as taken.
  if (app.functions.has(id) || id in Object.prototype) {
    throw systemError(new Error(`A function with id "${id}" has already been registered.`));
  }
  app.functions.set(id, { metadata: { ...metadata, functionId: id }, callback });
  return new Disposable(() => {
    if (app.locked) throw systemError(new Error('A function can only be disposed during app startup.'));
    app.functions.delete(id);
  });
}

function registerHook(app: App, name: string, callback: HookCallback): Disposable {
  if (!Object.hasOwn(app.hooks, name)) throw systemError(new RangeError(`Unrecognized hook "${name}"`));
  const hooks = app.hooks[name as HookName];
  hooks.push(callback);
  return new Disposable(() => {
    const index = hooks.indexOf(callback);
    if (index >= 0) hooks.splice(index, 1);
  });
}

/**
 * Makes `require('@azure/functions-core')` answer with an API that registers into `app`.
 * Only `Module.prototype.require` is replaced, as in the real worker (setupCoreModule.ts): a bundle whose
 * `require` does not come from there registers nothing in Azure, so it must register nothing here either.
 */
export function provideCoreModule(
  app: App,
  log: (level: LogLevel, category: LogCategory, message: string) => void,
): void {
  const api = {
    version: '3.12.0',
    hostVersion: '4.1046.0',
    Disposable,
    log,
    registerFunction: (metadata: FunctionMetadata, callback: FunctionCallback) =>
      registerFunction(app, metadata, callback),
    registerHook: (name: string, callback: HookCallback) => registerHook(app, name, callback),
    setProgrammingModel: (model: ProgrammingModel) => {
      app.model = model;
    },
    getProgrammingModel: () => app.model,
  };
  // oxlint-disable-next-line typescript/unbound-method -- called with its own `this` below
  const original = Module.prototype.require;
  const require = function (this: Module, id: string): unknown {
    return id === '@azure/functions-core' ? api : original.call(this, id);
  };
  Module.prototype.require = Object.assign(require, original);
}
